// A Fastify application whose sessions Grid keeps. They are checked here, without a call per request, and a revoked one is refused at once.
import Fastify from "fastify";
import { gridSessions } from "grid-sessions";
import supertokens from "supertokens-node";
import { errorHandler, plugin } from "supertokens-node/framework/fastify/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/fastify/index.js";
import Session from "supertokens-node/recipe/session/index.js";

const connectionURI = process.env.GRID_URI ?? "http://127.0.0.1:3567";
const apiKey = process.env.GRID_API_KEY;
const sessions = gridSessions({ connectionURI, apiKey });

supertokens.init({
  framework: "fastify",
  supertokens: { connectionURI, apiKey },
  appInfo: { appName: "fastify sample", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3001" },
  recipeList: [Session.init({ antiCsrf: "NONE", override: sessions })],
});

const app = Fastify();
app.setErrorHandler(errorHandler());
await app.register(plugin);

// Whoever asks is believed: your application knows better who its users are.
app.post("/sign-in/:user", async (request, reply) => {
  const session = await Session.createNewSession(request, reply, "public", supertokens.convertToRecipeUserId(request.params.user));
  return { handle: session.getHandle() };
});

app.get("/me", { preHandler: verifySession() }, async (request) => ({ user: request.session.getUserId() }));

// "Sign out everywhere": every process refuses these sessions when this is answered, and the streams below end.
app.post("/sign-out-everywhere", { preHandler: verifySession() }, async (request) => {
  await Session.revokeAllSessionsForUser(request.session.getUserId());
  return { status: "OK" };
});

// A stream of events that ends with its session.
app.get("/events", { preHandler: verifySession() }, (request, reply) => {
  reply.hijack();
  reply.raw.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  reply.raw.write(": hello\n\n");
  const stop = request.session.onEnded(() => reply.raw.end("event: ended\ndata: {}\n\n"));
  request.raw.on("close", stop);
});

console.log(`listens on ${await app.listen({ port: Number(process.env.PORT ?? 3001), host: "127.0.0.1" })}`);
process.once("SIGTERM", async () => {
  app.server.closeAllConnections();
  await app.close();
  await sessions.close();
});
