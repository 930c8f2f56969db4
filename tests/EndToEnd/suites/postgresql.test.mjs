import { newKeyFile } from "../support/grid.mjs";
import { PostgreSql } from "../support/postgresql.mjs";
import { sessionSuite } from "../support/sessions.mjs";

sessionSuite("PostgreSQL", async () => {
  const server = await PostgreSql.start();
  return server && {
    settings: { POSTGRESQL_CONNECTION_URI: server.uri, Grid__Keys__EncryptionKeyFile: newKeyFile() },
    close: () => server.stop(),
  };
});
