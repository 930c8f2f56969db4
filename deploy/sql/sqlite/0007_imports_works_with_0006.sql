-- What came from another service's database. The PostgreSQL script explains it.
CREATE TABLE grid_imported_session
(
    handle     BLOB    NOT NULL,
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (handle, app, tenant)
) STRICT, WITHOUT ROWID;

CREATE INDEX grid_imported_session_expiry ON grid_imported_session (expires_at);

CREATE TABLE grid_imported_key
(
    app            TEXT    NOT NULL,
    kid            TEXT    NOT NULL,
    kind           INTEGER NOT NULL,
    signs_from     INTEGER NOT NULL,
    verifies_until INTEGER,
    secret         BLOB,
    PRIMARY KEY (app, kid)
) STRICT, WITHOUT ROWID;

CREATE TABLE grid_import
(
    source   TEXT    NOT NULL PRIMARY KEY,
    app      TEXT    NOT NULL,
    tenant   TEXT    NOT NULL,
    handle   TEXT    NOT NULL,
    complete INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
