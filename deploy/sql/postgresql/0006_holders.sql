-- Processes that accept access tokens without asking (docs/revocation.md). One small row each, counted up every second.

CREATE TABLE grid_holder
(
    incarnation uuid     NOT NULL PRIMARY KEY,
    -- 1 silo, 2 service
    kind        smallint NOT NULL,
    name        text     NOT NULL,
    address     text     NOT NULL,
    lease_ms    integer  NOT NULL,
    -- One more with each renewal. No time: nobody compares two machines' clocks.
    counter     bigint   NOT NULL,
    protocol    smallint NOT NULL
) WITH (fillfactor = 50);

-- Kind 5: a signing key.
ALTER TABLE grid_revocation ADD COLUMN kid text;

-- Holders read what has become visible since their last look.
CREATE INDEX grid_revocation_xid ON grid_revocation (xid);
CREATE INDEX grid_revocation_kid ON grid_revocation (kid) WHERE kid IS NOT NULL;
