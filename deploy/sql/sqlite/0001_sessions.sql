-- Sessions and what revokes them. Times are milliseconds since 1970 (UTC). The PostgreSQL script explains the columns.

CREATE TABLE grid_session
(
    handle           BLOB    NOT NULL PRIMARY KEY,
    app              TEXT    NOT NULL,
    tenant           TEXT    NOT NULL,
    user_id          TEXT    NOT NULL,
    user_epoch       INTEGER NOT NULL,
    version          INTEGER NOT NULL,
    refresh_current  BLOB    NOT NULL,
    refresh_previous BLOB,
    rotated_at       INTEGER,
    payload          TEXT    NOT NULL,
    data             TEXT    NOT NULL,
    use_dynamic_key  INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    expires_at       INTEGER NOT NULL,
    expires_hour     INTEGER NOT NULL
) STRICT;

CREATE INDEX grid_session_user ON grid_session (app, user_id);
CREATE INDEX grid_session_expiry ON grid_session (expires_hour);

CREATE TABLE grid_user_epoch
(
    app     TEXT    NOT NULL,
    user_id TEXT    NOT NULL,
    tenant  TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    PRIMARY KEY (app, user_id, tenant)
) STRICT, WITHOUT ROWID;

CREATE TABLE grid_revocation
(
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    kind     INTEGER NOT NULL,
    app      TEXT    NOT NULL,
    tenant   TEXT,
    handle   BLOB,
    user_id  TEXT,
    epoch    INTEGER,
    kept     BLOB,
    reason   INTEGER NOT NULL,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX grid_revocation_handle ON grid_revocation (handle) WHERE handle IS NOT NULL;
CREATE INDEX grid_revocation_at ON grid_revocation (at);
