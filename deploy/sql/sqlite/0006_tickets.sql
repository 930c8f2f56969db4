-- Permits to insert a session with a handle that was given out beforehand. The PostgreSQL script explains them.

CREATE TABLE grid_ticket
(
    app        TEXT    NOT NULL,
    tenant     TEXT    NOT NULL,
    handle     BLOB    NOT NULL,
    user_id    TEXT    NOT NULL,
    user_epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (app, tenant, handle)
) STRICT, WITHOUT ROWID;

CREATE INDEX grid_ticket_expiry ON grid_ticket (expires_at);
