-- What a plan does, and the journal of uploads: which bytes an account was sent and what became of them, so that nothing is made
-- twice. The journal belongs to the account and not to a plan, and goes with it.
ALTER TABLE plans ADD COLUMN kind TEXT NOT NULL DEFAULT 'backup' CHECK (kind IN ('backup', 'upload', 'transfer'));

-- What is sent and what came back (tokens, names) is kept as JSON text, see 0004.
CREATE TABLE uploads (
    tenant_id  BLOB    NOT NULL,
    account_id BLOB    NOT NULL,
    -- The hash of the bytes.
    content    BLOB    NOT NULL CHECK (length(content) = 32),
    -- What an item can be made with, until it expires.
    token      TEXT    NOT NULL CHECK (json_valid(token)),
    expires_at TEXT    NOT NULL,
    filename   TEXT    NOT NULL CHECK (json_valid(filename)),
    -- Whether an item was made of it, and its id where the account told it.
    made       INTEGER NOT NULL DEFAULT FALSE CHECK (made IN (FALSE, TRUE)),
    media_id   TEXT,
    -- Whether more than one may have been made.
    doubtful   INTEGER NOT NULL DEFAULT FALSE CHECK (doubtful IN (FALSE, TRUE)),
    PRIMARY KEY (tenant_id, account_id, content),
    CHECK (made OR media_id IS NULL),
    FOREIGN KEY (tenant_id, account_id) REFERENCES storages (tenant_id, id) ON DELETE CASCADE
) STRICT;
CREATE INDEX uploads_by_media_id ON uploads (tenant_id, account_id, media_id) WHERE media_id IS NOT NULL;
CREATE INDEX uploads_doubtful ON uploads (tenant_id, account_id, content) WHERE doubtful;

-- Items that were made although another of the same bytes is there.
CREATE TABLE upload_twins (
    tenant_id  BLOB NOT NULL,
    account_id BLOB NOT NULL,
    media_id   TEXT NOT NULL,
    filename   TEXT NOT NULL CHECK (json_valid(filename)),
    -- The run that found it.
    run_id     BLOB NOT NULL CHECK (length(run_id) = 16),
    found_at   TEXT NOT NULL,
    PRIMARY KEY (tenant_id, account_id, media_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES storages (tenant_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The albums at the account that stand for an album of a plan.
CREATE TABLE upload_albums (
    tenant_id BLOB    NOT NULL,
    plan_id   BLOB    NOT NULL,
    -- The hash of the album's name, because no index of PostgreSQL holds a name that is long.
    album_key BLOB    NOT NULL CHECK (length(album_key) = 32),
    part      INTEGER NOT NULL CHECK (part >= 0),
    -- JSON.
    album     TEXT    NOT NULL CHECK (json_valid(album)),
    -- Absent while it may or may not have been made.
    album_id  TEXT,
    members   INTEGER NOT NULL DEFAULT 0 CHECK (members >= 0),
    PRIMARY KEY (tenant_id, plan_id, album_key, part),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
) STRICT, WITHOUT ROWID;

-- The numbers of a large account, see 0004: with them SQLite looks contents and ids up in the indexes that hold them.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('uploads', 'sqlite_autoindex_uploads_1', '1000000 500000 200000 1'),
    ('uploads', 'uploads_by_media_id', '1000000 500000 200000 1'),
    ('uploads', 'uploads_doubtful', '1000 500 200 1'),
    ('upload_twins', 'upload_twins', '1000 500 200 1');
ANALYZE sqlite_schema;
