import grid = require("grid-sessions");
import Session = require("supertokens-node/recipe/session");

Session.init({ override: grid.gridSessions({ connectionURI: "http://127.0.0.1:3567" }) });
