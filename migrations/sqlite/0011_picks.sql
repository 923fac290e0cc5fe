-- Runs of what a person picks, and items that are the same photo seen another way.
-- A column of its own beside `mode`, because SQLite cannot change what a column may hold.
ALTER TABLE runs ADD COLUMN picks INTEGER NOT NULL DEFAULT 0 CHECK (picks IN (0, 1));

-- The item at seq is a rendition of the one at of_seq.
CREATE TABLE item_renditions (
    tenant_id BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    plan_id   BLOB    NOT NULL CHECK (length(plan_id) = 16),
    seq       INTEGER NOT NULL CHECK (seq >= 0),
    of_seq    INTEGER NOT NULL CHECK (of_seq >= 0 AND of_seq <> seq),
    PRIMARY KEY (tenant_id, plan_id, seq)
) STRICT, WITHOUT ROWID;
