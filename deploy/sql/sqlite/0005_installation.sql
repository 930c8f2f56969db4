-- What this file belongs to: checked before the process serves. One row, written by the first start. The PostgreSQL script explains the columns.
CREATE TABLE grid_installation
(
    one        INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    cluster_id TEXT    NOT NULL,
    canary     BLOB    NOT NULL,
    -- The newest time at which the process was running with a clock that it trusted, in milliseconds; kept once a minute. There is no server to ask for the time.
    last_seen  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE grid_silo_keys
(
    address TEXT NOT NULL PRIMARY KEY,
    key_ids TEXT NOT NULL
) STRICT;
