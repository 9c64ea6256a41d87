ALTER TABLE subscription DROP COLUMN adopted_tag;
