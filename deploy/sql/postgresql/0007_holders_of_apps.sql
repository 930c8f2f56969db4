-- Whose sessions a holder accepts (null: any app's, as silos do): a revocation waits for nobody else's. And the SHA-256 of what a
-- service was handed to prove that a row is its own: the ids of these rows are of strangers' choice.
ALTER TABLE grid_holder ADD COLUMN app text, ADD COLUMN secret bytea;
