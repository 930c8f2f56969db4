import cors from "cors";
import express from "express";
import supertokens from "supertokens-node";
import { errorHandler, middleware } from "supertokens-node/framework/express/index.js";
import Session from "supertokens-node/recipe/session/index.js";
import { verifySession } from "supertokens-node/recipe/session/framework/express/index.js";
import { BooleanClaim } from "supertokens-node/recipe/session/claims.js";

const env = process.env;
const port = Number(env.PORT ?? 3001);
const websiteDomain = env.WEBSITE_DOMAIN ?? "http://localhost:3000";
const emailVerified = new BooleanClaim({ key: "email-verified", fetchValue: () => undefined });

supertokens.init({
  framework: "express",
  supertokens: { connectionURI: env.GRID_URI ?? "http://127.0.0.1:3567", apiKey: env.GRID_API_KEY },
  appInfo: { appName: "Grid with React", apiDomain: env.API_DOMAIN ?? `http://localhost:${port}`, websiteDomain, apiBasePath: "/auth" },
  recipeList: [
    Session.init({
      antiCsrf: env.ANTI_CSRF,
      cookieDomain: env.COOKIE_DOMAIN,
      olderCookieDomain: env.OLDER_COOKIE_DOMAIN,
    }),
  ],
});

const app = express();
app.use(cors({ origin: websiteDomain, credentials: true, allowedHeaders: ["content-type", ...supertokens.getAllCORSHeaders()] }));
app.use(middleware());
app.use(express.json());

// With Grid behind it this check costs little, and a revoked session is refused at once.
const session = (options = {}) => verifySession({ checkDatabase: true, ...options });

app.post("/api/sign-in", async (req, res) => {
  await Session.createNewSession(req, res, "public", supertokens.convertToRecipeUserId(req.body.userId));
  res.json({ userId: req.body.userId });
});
app.get("/api/me", session(), (req, res) => {
  res.json({ userId: req.session.getUserId(), sessionHandle: req.session.getHandle(), payload: req.session.getAccessTokenPayload() });
});
app.post("/api/notes", session(), (_req, res) => res.json({ ok: true }));
app.get("/api/verified", session({ overrideGlobalClaimValidators: (all) => [...all, emailVerified.validators.isTrue()] }), (_req, res) => res.json({ ok: true }));
app.post("/api/verify-email", session(), async (req, res) => {
  await req.session.setClaimValue(emailVerified, true);
  res.json({ ok: true });
});
// Stands for an administrator's action; a real one would be protected.
app.post("/api/end-all", async (req, res) => res.json({ ended: (await Session.revokeAllSessionsForUser(req.body.userId)).length }));

app.use(errorHandler());
const server = app.listen(port, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => server.close(() => process.exit(0)) && server.closeAllConnections());
