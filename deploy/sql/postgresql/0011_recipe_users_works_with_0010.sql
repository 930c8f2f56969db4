-- The account by which a session's user signed in, where it is linked to a user with another id; null where it is user_id. Few rows have
-- one, and only those are in the index.
ALTER TABLE grid_session ADD COLUMN recipe_user_id text;

CREATE INDEX grid_session_recipe_user ON grid_session (app, recipe_user_id) WHERE recipe_user_id IS NOT NULL;
