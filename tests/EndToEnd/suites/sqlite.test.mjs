import { sessionSuite } from "../support/sessions.mjs";

sessionSuite("SQLite", async () => ({ settings: {} }));
