-- The account by which a session's user signed in. The PostgreSQL script explains it.
ALTER TABLE grid_session ADD COLUMN recipe_user_id TEXT;

CREATE INDEX grid_session_recipe_user ON grid_session (app, recipe_user_id) WHERE recipe_user_id IS NOT NULL;
