-- Roles with no more than they need, in a schema of their own. Run it as a superuser in Grid's database, with psql or any other client; it may be
-- repeated. Once before the first 'grid migrate', and once after it, which takes away what no silo writes.
--
--   grid_owner     owns schema and tables. 'grid migrate' connects as this role, with Grid:Store:MigrateAtStart=false in the silos.
--   grid           the silos connect as this role: it reads and writes rows, and can create, alter, drop or truncate nothing.
--   grid_gateways  services over Orleans (docs/grain-client.md): they read where the silos are, and nothing else.
--
-- Give each a way to sign in, for example: ALTER ROLE grid PASSWORD '…';
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['grid_owner', 'grid', 'grid_gateways'] LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = name) THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT', name);
        END IF;
    END LOOP;
END
$$;

CREATE SCHEMA IF NOT EXISTS grid AUTHORIZATION grid_owner;

-- Also through a pooler, which passes no search path on.
ALTER ROLE grid_owner SET search_path = grid;
ALTER ROLE grid SET search_path = grid;
ALTER ROLE grid_gateways SET search_path = grid;

GRANT USAGE ON SCHEMA grid TO grid, grid_gateways;

-- What there is, and what later migrations add.
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA grid TO grid;
ALTER DEFAULT PRIVILEGES FOR ROLE grid_owner IN SCHEMA grid GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO grid;

DO $$
BEGIN
    IF to_regclass('grid.orleansquery') IS NOT NULL THEN
        -- The statements of Orleans' providers, and which migrations were applied.
        REVOKE INSERT, UPDATE, DELETE ON grid.OrleansQuery, grid.grid_schema FROM grid;
        GRANT SELECT ON grid.OrleansQuery, grid.OrleansMembershipTable TO grid_gateways;
    END IF;
END
$$;
