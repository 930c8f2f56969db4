-- What this database belongs to: checked before a silo joins. One row, written by the first start.
CREATE TABLE grid_installation
(
    one        boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
    -- Grid:Cluster:Id. Two clusters over one database would wait for each other's processes.
    cluster_id text    NOT NULL,
    -- Opens with the installation's key-encryption key and with no other.
    canary     bytea   NOT NULL
);

-- Which key-encryption keys each silo holds, by their ids: the key is changed only when all of them know the next one.
CREATE TABLE grid_silo_keys
(
    address text NOT NULL PRIMARY KEY,
    key_ids text NOT NULL
);
