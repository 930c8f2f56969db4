-- Sessions and what revokes them. Times are milliseconds since 1970 (UTC).

CREATE TABLE grid_session
(
    handle           uuid     PRIMARY KEY,
    app              text     NOT NULL,
    tenant           text     NOT NULL,
    user_id          text     NOT NULL,
    user_epoch       bigint   NOT NULL,
    version          bigint   NOT NULL,
    refresh_current  bytea    NOT NULL,
    refresh_previous bytea,
    rotated_at       bigint,
    payload          text     NOT NULL,
    data             text     NOT NULL,
    use_dynamic_key  boolean  NOT NULL,
    created_at       bigint   NOT NULL,
    expires_at       bigint   NOT NULL,
    -- The hour after which the row may be purged. Indexed instead of expires_at, so that most refreshes change no
    -- indexed column and PostgreSQL can update in place (HOT).
    expires_hour     bigint   NOT NULL
) WITH (fillfactor = 80);

CREATE INDEX grid_session_user ON grid_session (app, user_id);
CREATE INDEX grid_session_expiry ON grid_session (expires_hour);

-- Raised when all sessions of a user end. Inserts share-lock the row: a create is ordered before a revoke-all, or after it.
CREATE TABLE grid_user_epoch
(
    app     text   NOT NULL,
    user_id text   NOT NULL,
    tenant  text   NOT NULL,
    epoch   bigint NOT NULL,
    PRIMARY KEY (app, user_id, tenant)
);

-- kind: 1 handle, 2 user, 3 tenant, 4 app.
CREATE TABLE grid_revocation
(
    position bigint   GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Positions become visible out of order; readers go by transaction.
    xid      xid8     NOT NULL DEFAULT pg_current_xact_id(),
    kind     smallint NOT NULL,
    app      text     NOT NULL,
    tenant   text,
    handle   uuid,
    user_id  text,
    epoch    bigint,
    kept     uuid,
    reason   smallint NOT NULL,
    at       bigint   NOT NULL
);

-- Also the fence: a handle in here is never inserted again.
CREATE INDEX grid_revocation_handle ON grid_revocation (handle) WHERE handle IS NOT NULL;
CREATE INDEX grid_revocation_at ON grid_revocation (at);
