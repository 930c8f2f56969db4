-- Sessions that came from another service's database: each comes once, and not again when it has ended here. version is that of the
-- session's row as the import wrote it: a row with another one was changed here since. expires_at is the original's.
CREATE TABLE grid_imported_session
(
    handle     uuid   NOT NULL,
    app        text   NOT NULL,
    tenant     text   NOT NULL,
    version    bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (handle, app, tenant)
);

CREATE INDEX grid_imported_session_expiry ON grid_imported_session (expires_at);

-- Keys that came with them, sealed. secret is null when the app's own keys hold the key, or it was given up: its id never comes again.
CREATE TABLE grid_imported_key
(
    app            text     NOT NULL,
    kid            text     NOT NULL,
    kind           smallint NOT NULL,
    signs_from     bigint   NOT NULL,
    verifies_until bigint,
    secret         bytea,
    PRIMARY KEY (app, kid)
);

-- How far each import is: app, tenant and handle of the last session in the original's order.
CREATE TABLE grid_import
(
    source   text    NOT NULL PRIMARY KEY,
    app      text    NOT NULL,
    tenant   text    NOT NULL,
    handle   text    NOT NULL,
    complete boolean NOT NULL
);
