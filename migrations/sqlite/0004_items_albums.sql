-- The catalogue of a plan. What the provider wrote (names, titles, messages) is kept as JSON text, in which any character is
-- plain ASCII or valid UTF-8, a NUL included.
-- Items have no foreign keys, which would be checked for every row and cost a third of the time: they are written only under
-- the lease of a shard, whose own keys tie it to the same tenant and plan (crates/store/src/sql/fence.rs).
CREATE TABLE items (
    tenant_id   BLOB    NOT NULL,
    plan_id     BLOB    NOT NULL,
    seq         INTEGER NOT NULL CHECK (seq >= 0),
    provider_id TEXT    NOT NULL,
    metadata    TEXT    NOT NULL,
    gone        INTEGER NOT NULL DEFAULT FALSE CHECK (gone IN (FALSE, TRUE)),
    PRIMARY KEY (tenant_id, plan_id, seq)
) STRICT;

-- What a listing is compared with.
CREATE TABLE item_ids (
    tenant_id            BLOB    NOT NULL,
    plan_id              BLOB    NOT NULL,
    provider_id          TEXT    NOT NULL,
    seq                  INTEGER NOT NULL CHECK (seq >= 0),
    metadata_fingerprint INTEGER NOT NULL,
    content_fingerprint  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, provider_id)
) STRICT, WITHOUT ROWID;

-- What is not stored: an item with a row here waits for its bytes, in a shard or for one, or has failed. Apart from the items,
-- so that a transfer touches narrow rows only, and so that what is left is found without an index over everything.
CREATE TABLE unstored_items (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    seq       INTEGER NOT NULL CHECK (seq >= 0),
    shard_id  BLOB,
    fault     TEXT,
    PRIMARY KEY (tenant_id, plan_id, seq),
    CHECK (shard_id IS NULL OR fault IS NULL)
) STRICT, WITHOUT ROWID;

-- The bytes we hold. An item that is asked for again keeps its older ones until the newer ones are there.
CREATE TABLE item_contents (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    seq       INTEGER NOT NULL CHECK (seq >= 0),
    blob      BLOB    NOT NULL CHECK (length(blob) = 32),
    size      INTEGER NOT NULL CHECK (size >= 0),
    path      TEXT    NOT NULL,
    fidelity  TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, seq)
) STRICT;

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
    ('items', 'sqlite_autoindex_items_1', '1000000 500000 200000 1'),
    ('items', 'sqlite_autoindex_items_2', '1000000 500000 200000 1'),
    ('unstored_items', 'unstored_items', '200000 200000 100000 1'),
    ('item_contents', 'sqlite_autoindex_item_contents_1', '1000000 500000 200000 1'),
    ('item_paths', 'item_paths', '1000000 500000 200000 1'),
    ('album_members', 'album_members', '1000000 500000 200000 1000 1');
ANALYZE sqlite_schema;
