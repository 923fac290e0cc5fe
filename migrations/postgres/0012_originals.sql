-- Stored items whose originals are looked for at a download proxy.
-- A column of its own beside `kind`, which is 'transfer' for these, because SQLite cannot change what a column may hold.
ALTER TABLE shards ADD COLUMN originals BOOLEAN NOT NULL DEFAULT FALSE
    CHECK (kind = 'transfer' OR NOT originals);
-- Items whose original took the place of what was stored.
ALTER TABLE shards ADD COLUMN upgraded BIGINT NOT NULL DEFAULT 0;

-- Which proxy the plan's stored items were asked for at, and up to which position; none yet where that is NULL.
ALTER TABLE plans ADD COLUMN originals_proxy TEXT;
ALTER TABLE plans ADD COLUMN originals_after BIGINT
    CHECK (originals_after IS NULL OR (originals_after >= 0 AND originals_proxy IS NOT NULL));
