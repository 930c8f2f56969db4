// A small back end of the kind that people have: Express with the unmodified SDK.
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Multitenancy from "supertokens-node/recipe/multitenancy/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { PrimitiveClaim } from "supertokens-node/recipe/session/claims.js";
import JWT from "supertokens-node/recipe/jwt/index.js";

export { JWT, Multitenancy, Session, supertokens };

export const roles = new Map();

export const roleClaim = new PrimitiveClaim({ key: "role", fetchValue: async (userId) => roles.get(userId) ?? "guest" });

export const thefts = [];

export function initSdk(connectionURI, apiKey, antiCsrf = "NONE") {
  supertokens.init({
    framework: "express",
    supertokens: { connectionURI, apiKey },
    appInfo: { appName: "e2e", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3000" },
    recipeList: [
      Session.init({
        antiCsrf,
        cookieSecure: false,
        getTokenTransferMethod: ({ req }) => (req.getHeaderValue("st-auth-mode") === "header" ? "header" : "cookie"),
        errorHandlers: {
          onTokenTheftDetected: async (handle, userId, _recipeUserId, _request, response) => {
            thefts.push({ handle, userId });
            // As the SDK's own handler does: the older protocol leaves the revocation to it.
            await Session.revokeSession(handle);
            response.setStatusCode(401);
            response.sendJSONResponse({ message: "token theft detected" });
          },
        },
      }),
      JWT.init(),
      Multitenancy.init(),
    ],
  });
}

export async function listen() {
  const app = express();
  app.use(middleware());
  const handler = (work) => async (request, response, next) => {
    try {
      await work(request, response);
    } catch (failure) {
      next(failure);
    }
  };
  app.post("/login/:user", express.json(), handler(async (request, response) => {
    const session = await Session.createNewSession(
      request, response, request.body?.tenantId ?? "public", supertokens.convertToRecipeUserId(request.params.user), request.body?.payload ?? {}, request.body?.data ?? {});
    response.json({ handle: session.getHandle() });
  }));
  app.get("/me", verifySession(), handler(async (request, response) =>
    response.json({ user: request.session.getUserId(), handle: request.session.getHandle(), tenant: request.session.getTenantId(), payload: request.session.getAccessTokenPayload() })));
  app.get("/me/checked", verifySession({ checkDatabase: true }), handler(async (request, response) => response.json({ user: request.session.getUserId() })));
  app.get("/maybe", verifySession({ sessionRequired: false }), handler(async (request, response) => response.json({ user: request.session?.getUserId() ?? null })));
  app.post("/merge", verifySession(), express.json(), handler(async (request, response) => {
    await request.session.mergeIntoAccessTokenPayload(request.body);
    response.json({ payload: request.session.getAccessTokenPayload() });
  }));
  app.post("/claim", verifySession(), handler(async (request, response) => {
    await request.session.fetchAndSetClaim(roleClaim);
    response.json({ role: await request.session.getClaimValue(roleClaim) });
  }));
  app.post("/unclaim", verifySession(), handler(async (request, response) => {
    await request.session.removeClaim(roleClaim);
    response.json({});
  }));
  app.get("/admin", verifySession({ overrideGlobalClaimValidators: async (all) => [...all, roleClaim.validators.hasValue("admin")] }), handler(async (_request, response) => response.json({ ok: true })));
  app.post("/revoke-mine", verifySession(), handler(async (request, response) => {
    await request.session.revokeSession();
    response.json({});
  }));
  app.use(errorHandler());
  app.use((failure, _request, response, _next) => response.status(500).json({ failure: String(failure) }));
  const server = await new Promise((resolve) => {
    const listening = app.listen(0, "127.0.0.1", () => resolve(listening));
  });
  return { url: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((resolve) => server.close(resolve)) };
}

// A client that keeps cookies as a browser does, or tokens as a header client does.
export class Client {
  constructor(service, mode = "cookie") {
    this.service = service;
    this.mode = mode;
    this.cookies = new Map();
    this.access = this.refresh = this.antiCsrf = undefined;
  }

  clone() {
    const copy = new Client(this.service, this.mode);
    copy.cookies = new Map(this.cookies);
    copy.access = this.access;
    copy.refresh = this.refresh;
    copy.antiCsrf = this.antiCsrf;
    return copy;
  }

  async send(method, path, body, extra = {}) {
    const isRefresh = path === "/auth/session/refresh";
    const headers = { "st-auth-mode": this.mode, rid: "anti-csrf", ...extra };
    if (body !== undefined) headers["content-type"] = "application/json";
    if (this.antiCsrf && headers["anti-csrf"] === undefined) headers["anti-csrf"] = this.antiCsrf;
    if (headers["anti-csrf"] === null) delete headers["anti-csrf"];
    if (this.mode === "header") {
      const token = isRefresh ? this.refresh : this.access;
      if (token) headers.authorization = `Bearer ${token}`;
    } else if (this.cookies.size > 0) {
      headers.cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    }
    const response = await fetch(this.service + path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) });
    for (const line of response.headers.getSetCookie()) {
      const [pair] = line.split(";");
      const name = pair.slice(0, pair.indexOf("="));
      const value = pair.slice(pair.indexOf("=") + 1);
      if (value === "" || /expires=Thu, 01 Jan 1970/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    const take = (name, old) => (response.headers.has(name) ? response.headers.get(name) || undefined : old);
    this.access = take("st-access-token", this.access);
    this.refresh = take("st-refresh-token", this.refresh);
    this.antiCsrf = take("anti-csrf", this.antiCsrf);
    const text = await response.text();
    return { status: response.status, headers: response.headers, body: text.startsWith("{") ? JSON.parse(text) : text };
  }

  get(path, extra) {
    return this.send("GET", path, undefined, extra);
  }

  post(path, body, extra) {
    return this.send("POST", path, body, extra);
  }
}
