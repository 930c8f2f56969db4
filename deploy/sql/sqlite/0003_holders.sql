-- Processes that accept access tokens without asking. The PostgreSQL script explains the columns.

CREATE TABLE grid_holder
(
    incarnation BLOB    NOT NULL PRIMARY KEY,
    kind        INTEGER NOT NULL,
    name        TEXT    NOT NULL,
    address     TEXT    NOT NULL,
    lease_ms    INTEGER NOT NULL,
    counter     INTEGER NOT NULL,
    protocol    INTEGER NOT NULL
) STRICT;

ALTER TABLE grid_revocation ADD COLUMN kid TEXT;

CREATE INDEX grid_revocation_kid ON grid_revocation (kid) WHERE kid IS NOT NULL;
