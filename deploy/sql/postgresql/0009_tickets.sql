-- Permits: each lets one session with a handle that was given out beforehand be inserted, once. Using or revoking it deletes it.
-- user_epoch is the user's when the session was ordered: a revocation of the user, tenant or app in between raises that epoch.

CREATE TABLE grid_ticket
(
    app        text   NOT NULL,
    tenant     text   NOT NULL,
    handle     uuid   NOT NULL,
    user_id    text   NOT NULL,
    user_epoch bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (app, tenant, handle)
);

CREATE INDEX grid_ticket_expiry ON grid_ticket (expires_at);
