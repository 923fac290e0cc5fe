-- The catalogue of a plan. What the provider wrote (names, titles, messages) is kept as JSON text, in which any character is
-- plain ASCII or valid UTF-8, a NUL included.
-- Items have no foreign keys, which would be checked for every row and cost a third of the time: they are written only under
-- the lease of a shard, whose own keys tie it to the same tenant and plan (crates/store/src/sql/fence.rs).
CREATE TABLE items (
    tenant_id            BLOB    NOT NULL,
    plan_id              BLOB    NOT NULL,
    seq                  INTEGER NOT NULL CHECK (seq >= 0),
    provider_id          TEXT    NOT NULL,
    metadata             TEXT    NOT NULL,
    metadata_fingerprint INTEGER NOT NULL,
    content_fingerprint  INTEGER NOT NULL,
    state                TEXT    NOT NULL CHECK (state IN ('pending', 'stored', 'failed')),
    shard_id             BLOB,
    gone                 INTEGER NOT NULL DEFAULT FALSE CHECK (gone IN (FALSE, TRUE)),
    blob                 BLOB    CHECK (blob IS NULL OR length(blob) = 32),
    size                 INTEGER,
    path                 TEXT,
    fidelity             TEXT,
    fault                TEXT,
    PRIMARY KEY (tenant_id, plan_id, seq),
    UNIQUE (tenant_id, plan_id, provider_id),
    CHECK (state <> 'stored' OR blob IS NOT NULL),
    CHECK ((state = 'failed') = (fault IS NOT NULL)),
    CHECK (shard_id IS NULL OR state = 'pending')
) STRICT, WITHOUT ROWID;
CREATE INDEX items_by_shard ON items (tenant_id, shard_id, seq) WHERE shard_id IS NOT NULL;
CREATE INDEX items_unstored ON items (tenant_id, plan_id, seq) WHERE state <> 'stored';

-- Mirror paths. path_key is the path in NFC and lower case, so that no two names meet on any file system. Never freed:
-- an older file may still lie there.
CREATE TABLE item_paths (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    path_key  TEXT    NOT NULL,
    path      TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, path_key),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE albums (
    tenant_id   BLOB    NOT NULL,
    plan_id     BLOB    NOT NULL,
    provider_id TEXT    NOT NULL,
    place       INTEGER NOT NULL,
    facts       TEXT    NOT NULL CHECK (json_valid(facts)),
    PRIMARY KEY (tenant_id, plan_id, provider_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE album_members (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    album_id  TEXT    NOT NULL,
    position  INTEGER NOT NULL CHECK (position >= 0),
    item_id   TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, album_id, position),
    FOREIGN KEY (tenant_id, plan_id, album_id) REFERENCES albums (tenant_id, plan_id, provider_id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- SQLite would guess that a tenant and a plan pick out a few rows. These are the numbers of a large library (rows in all, then
-- rows that share the first column of the index, the first two, and so on), so that it looks items up by their last column.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('items', 'items', '1000000 500000 200000 1'),
    ('items', 'sqlite_autoindex_items_2', '1000000 500000 200000 1'),
    ('items', 'items_by_shard', '200000 200000 500 1'),
    ('items', 'items_unstored', '200000 200000 100000 1'),
    ('item_paths', 'item_paths', '1000000 500000 200000 1'),
    ('album_members', 'album_members', '1000000 500000 200000 1000 1');
ANALYZE sqlite_schema;
