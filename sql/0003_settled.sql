-- What a start needs to know of what watchers were told, so that only those who may have missed something are told
-- again.

-- The seq at which every dialog knew all that it was owed; null since something else than a change of state is owed.
ALTER TABLE resource ADD COLUMN settled_seq bigint;

-- `is_ahead`: the owner shows watchers more than is stored, so its crash loses what they were shown. `settled_since`:
-- what rows of earlier epochs say of settled_seq is void, since an owner of that time crashed while it was ahead.
ALTER TABLE lease ADD COLUMN is_ahead boolean NOT NULL DEFAULT false;
ALTER TABLE lease ADD COLUMN settled_since bigint NOT NULL DEFAULT 0;
