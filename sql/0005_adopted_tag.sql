-- Dialogs that another server began, taken over with the tag it chose: in a dialog that began here the tag is the id.

-- Empty where it is the id.
ALTER TABLE subscription ADD COLUMN adopted_tag text COLLATE "C" NOT NULL DEFAULT '';
