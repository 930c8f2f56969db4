// An application behind the package, in a process of its own, for drills that kill it, stop it and cut its cable (tests/Faults.Tests).
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { gridSessions } from "grid-sessions";

const connectionURI = process.env.GRID_URI;
const sessions = gridSessions({ connectionURI });
supertokens.init({
  framework: "express",
  supertokens: { connectionURI },
  appInfo: { appName: "drill", apiDomain: "http://localhost:3001", websiteDomain: "http://localhost:3001" },
  recipeList: [Session.init({ antiCsrf: "NONE", override: sessions })],
});

const app = express().set("env", "test");
app.use(middleware());
app.get("/me", verifySession(), (request, response) => response.send(request.session.getUserId()));
app.use(errorHandler());

// While Grid is away the SDK cannot fetch its keys, and says so as an error of its own.
const server = app.listen(0, "127.0.0.1", () => console.log(`listens on http://127.0.0.1:${server.address().port}`));
process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
  void sessions.close();
});
