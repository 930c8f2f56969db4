// An Express application whose sessions Grid keeps. They are checked here, without a call per request, and a revoked one is refused at once.
import express from "express";
import { gridSessions } from "grid-sessions";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";

const connectionURI = process.env.GRID_URI ?? "http://127.0.0.1:3567";
const apiKey = process.env.GRID_API_KEY;
const sessions = gridSessions({ connectionURI, apiKey });

supertokens.init({
  framework: "express",
  supertokens: { connectionURI, apiKey },
  appInfo: { appName: "express sample", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3001" },
  recipeList: [Session.init({ antiCsrf: "NONE", override: sessions })],
});

const app = express();
app.use(middleware());

// Whoever asks is believed: your application knows better who its users are.
app.post("/sign-in/:user", async (request, response) => {
  const session = await Session.createNewSession(request, response, "public", supertokens.convertToRecipeUserId(request.params.user));
  response.json({ handle: session.getHandle() });
});

app.get("/me", verifySession(), (request, response) => response.json({ user: request.session.getUserId() }));

// "Sign out everywhere": every process refuses these sessions when this is answered, and the streams below end.
app.post("/sign-out-everywhere", verifySession(), async (request, response) => {
  await Session.revokeAllSessionsForUser(request.session.getUserId());
  response.json({ status: "OK" });
});

// A stream of events that ends with its session.
app.get("/events", verifySession(), (request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream", "cache-control": "no-store" });
  response.write(": hello\n\n");
  const stop = request.session.onEnded(() => response.end("event: ended\ndata: {}\n\n"));
  request.on("close", stop);
});

app.use(errorHandler());

const server = app.listen(process.env.PORT ?? 3001, "127.0.0.1", () => console.log(`listens on http://127.0.0.1:${server.address().port}`));
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void sessions.close();
});
