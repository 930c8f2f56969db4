-- Whose sessions a holder accepts, and what proves that a service's row is its own. The PostgreSQL script explains the columns.
ALTER TABLE grid_holder ADD COLUMN app TEXT;
ALTER TABLE grid_holder ADD COLUMN secret BLOB;
