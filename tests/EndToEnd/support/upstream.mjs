// Stands for a SuperTokens core behind Grid: keeps users, roles and metadata, refuses what the original would refuse, and records every
// request to the byte. It has no sessions: whoever asks it for one is told so, and the test fails.
import { createServer } from "node:http";
import { randomUUID } from "node:crypto";

export class Upstream {
  static versions = ["4.0", "5.0", "5.1", "5.2", "5.3", "5.4"];

  constructor() {
    this.key = "the-key-of-the-core-behind-grid";
    this.requests = [];
    this.users = new Map();
    this.roles = new Map();
    this.rolesOf = new Map();
    this.metadata = new Map();
    this.dashboardSessions = new Set();
    this.beforeRemoval = async () => {};
  }

  static async start() {
    const core = new Upstream();
    core.server = createServer((request, response) => core.answer(request, response).catch((failure) => response.destroy(failure)));
    core.server.on("connection", (socket) => core.isAway && socket.destroy());
    await new Promise((resolve) => core.server.listen(0, "127.0.0.1", resolve));
    core.port = core.server.address().port;
    return core;
  }

  // It keeps its port, which another process could have by the time that it comes back: who connects meanwhile is cut off.
  leave() {
    this.isAway = true;
    this.server.closeAllConnections();
  }

  comeBack() {
    this.isAway = false;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop() {
    const ended = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await ended;
  }

  async answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const [path, query = ""] = request.url.split("?");
    const send = (status, value) => {
      const text = typeof value === "string" ? value : JSON.stringify(value);
      response.writeHead(status, { "content-type": typeof value === "string" ? "text/html;charset=utf-8" : "application/json;charset=utf-8" });
      response.end(text);
    };
    if (path.endsWith("/jwks.json")) return send(200, { keys: [] });
    if (request.headers["api-key"] !== this.key) return send(401, "Invalid API key\n");
    if (path.endsWith("/apiversion")) return send(200, { versions: Upstream.versions });
    this.requests.push({ method: request.method, url: request.url, headers: request.headers, body });
    if (!Upstream.versions.includes(request.headers["cdi-version"])) return send(400, `cdi-version ${request.headers["cdi-version"]} not supported\n`);
    if (body && !request.headers["content-type"]?.startsWith("application/json")) return send(400, "Invalid Json Input\n");
    const asked = { ...Object.fromEntries(new URLSearchParams(query)), ...(body ? JSON.parse(body) : {}) };
    const route = `${request.method} ${path.replace(/^\/public(?=\/)/, "")}`;
    const operation = this.operations[route];
    if (!operation) return send(route.includes("/session") && !route.includes("/dashboard/") ? 500 : 404, `Not found: ${route}\n`);
    const missing = operation.needs.find((field) => asked[field] === undefined);
    return missing ? send(400, `Field name '${missing}' is invalid in JSON input\n`) : send(200, await operation.answer(asked));
  }

  user(method) {
    const id = randomUUID();
    const user = {
      id, isPrimaryUser: false, tenantIds: ["public"], timeJoined: 1700000000000, emails: [method.email], phoneNumbers: [],
      thirdParty: method.thirdParty ? [method.thirdParty] : [], webauthn: { credentialIds: [] },
      loginMethods: [{ recipeUserId: id, tenantIds: ["public"], timeJoined: 1700000000000, verified: false, ...method, password: undefined }],
    };
    this.users.set(id, { user, password: method.password });
    return user;
  }

  find(test) {
    return [...this.users.values()].find(test);
  }

  // Accounts that are linked share one user, under the id of each of them.
  all() {
    return [...new Set([...this.users.values()].map(({ user }) => user))];
  }

  operations = {
    "GET /recipe/multitenancy/tenant/v2": { needs: [], answer: () => ({ status: "OK", tenantId: "public", thirdParty: { providers: [] }, coreConfig: {} }) },
    "POST /recipe/signup": {
      needs: ["email", "password"],
      answer: ({ email, password }) => {
        if (this.find(({ user }) => user.emails.includes(email))) return { status: "EMAIL_ALREADY_EXISTS_ERROR" };
        const user = this.user({ recipeId: "emailpassword", email, password });
        return { status: "OK", user, recipeUserId: user.id };
      },
    },
    "POST /recipe/signin": {
      needs: ["email", "password"],
      answer: ({ email, password }) => {
        const found = this.find(({ user, password: theirs }) => user.emails.includes(email) && theirs === password);
        return found ? { status: "OK", user: found.user, recipeUserId: found.user.loginMethods.find((method) => method.email === email).recipeUserId } : { status: "WRONG_CREDENTIALS_ERROR" };
      },
    },
    "POST /recipe/signinup": {
      needs: ["thirdPartyId", "thirdPartyUserId", "email"],
      answer: ({ thirdPartyId, thirdPartyUserId, email }) => {
        const user = this.user({ recipeId: "thirdparty", email: email.id, thirdParty: { id: thirdPartyId, userId: thirdPartyUserId } });
        return { status: "OK", createdNewUser: true, user, recipeUserId: user.id };
      },
    },
    "GET /user/id": {
      needs: ["userId"],
      answer: ({ userId }) => (this.users.has(userId) ? { status: "OK", user: this.users.get(userId).user } : { status: "UNKNOWN_USER_ID_ERROR" }),
    },
    "GET /users/by-accountinfo": { needs: [], answer: ({ email }) => ({ status: "OK", users: this.all().filter((user) => user.emails.includes(email)) }) },
    "GET /users": { needs: [], answer: () => ({ status: "OK", users: this.all() }) },
    "GET /users/count": { needs: [], answer: () => ({ status: "OK", count: this.all().length }) },
    "POST /recipe/accountlinking/user/primary": {
      needs: ["recipeUserId"],
      answer: ({ recipeUserId }) => {
        const { user } = this.users.get(recipeUserId);
        const wasAlreadyAPrimaryUser = user.isPrimaryUser;
        user.isPrimaryUser = true;
        return { status: "OK", wasAlreadyAPrimaryUser, user };
      },
    },
    "POST /recipe/accountlinking/user/link": {
      needs: ["recipeUserId", "primaryUserId"],
      answer: ({ recipeUserId, primaryUserId }) => {
        const [{ user }, linked] = [this.users.get(primaryUserId), this.users.get(recipeUserId)];
        if (!user.isPrimaryUser) return { status: "INPUT_USER_IS_NOT_A_PRIMARY_USER" };
        const accountsAlreadyLinked = linked.user === user;
        if (!accountsAlreadyLinked) {
          for (const field of ["loginMethods", "emails", "thirdParty"]) user[field] = [...user[field], ...linked.user[field]];
          linked.user = user;
        }
        return { status: "OK", accountsAlreadyLinked, user };
      },
    },
    "POST /recipe/accountlinking/user/unlink": {
      needs: ["recipeUserId"],
      answer: ({ recipeUserId }) => {
        const linked = this.users.get(recipeUserId);
        const method = linked.user.loginMethods.find((method) => method.recipeUserId === recipeUserId);
        linked.user.loginMethods = linked.user.loginMethods.filter((other) => other !== method);
        linked.user.emails = linked.user.loginMethods.map((other) => other.email);
        linked.user = { ...linked.user, id: recipeUserId, isPrimaryUser: false, emails: [method.email], thirdParty: method.thirdParty ? [method.thirdParty] : [], loginMethods: [method] };
        return { status: "OK", wasRecipeUserDeleted: false, wasLinked: true };
      },
    },
    "POST /user/remove": {
      needs: ["userId"],
      answer: async ({ userId }) => {
        await this.beforeRemoval(userId);
        this.users.delete(userId);
        return { status: "OK" };
      },
    },
    "PUT /recipe/role": {
      needs: ["role"],
      answer: ({ role, permissions }) => {
        const createdNewRole = !this.roles.has(role);
        this.roles.set(role, permissions);
        return { status: "OK", createdNewRole };
      },
    },
    "GET /recipe/role/permissions": { needs: ["role"], answer: ({ role }) => (this.roles.has(role) ? { status: "OK", permissions: this.roles.get(role) } : { status: "UNKNOWN_ROLE_ERROR" }) },
    "PUT /recipe/user/role": {
      needs: ["userId", "role"],
      answer: ({ userId, role }) => {
        this.rolesOf.set(userId, [...(this.rolesOf.get(userId) ?? []), role]);
        return { status: "OK", didUserAlreadyHaveRole: false };
      },
    },
    "GET /recipe/user/roles": { needs: ["userId"], answer: ({ userId }) => ({ status: "OK", roles: this.rolesOf.get(userId) ?? [] }) },
    "PUT /recipe/user/metadata": {
      needs: ["userId", "metadataUpdate"],
      answer: ({ userId, metadataUpdate }) => {
        this.metadata.set(userId, { ...this.metadata.get(userId), ...metadataUpdate });
        return { status: "OK", metadata: this.metadata.get(userId) };
      },
    },
    "GET /recipe/user/metadata": { needs: ["userId"], answer: ({ userId }) => ({ status: "OK", metadata: this.metadata.get(userId) ?? {} }) },
    "POST /recipe/dashboard/signin": {
      needs: ["email", "password"],
      answer: () => {
        const sessionId = randomUUID();
        this.dashboardSessions.add(sessionId);
        return { status: "OK", sessionId };
      },
    },
    "POST /recipe/dashboard/session/verify": {
      needs: ["sessionId"],
      answer: ({ sessionId }) => (this.dashboardSessions.has(sessionId) ? { status: "OK", email: "admin@example.com" } : { status: "INVALID_SESSION_ERROR" }),
    },
  };
}
