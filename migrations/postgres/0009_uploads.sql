-- What a plan does, and the journal of uploads: which bytes an account was sent and what became of them, so that nothing is made
-- twice. The journal belongs to the account and not to a plan, and goes with it.
ALTER TABLE plans ADD COLUMN kind TEXT NOT NULL DEFAULT 'backup' CHECK (kind IN ('backup', 'upload', 'transfer'));

-- What is sent and what came back (tokens, names) is kept as JSON text, see 0004.
CREATE TABLE uploads (
    tenant_id  UUID        NOT NULL,
    account_id UUID        NOT NULL,
    -- The hash of the bytes.
    content    BYTEA       NOT NULL CHECK (octet_length(content) = 32),
    -- What an item can be made with, until it expires.
    token      TEXT        NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    filename   TEXT        NOT NULL,
    -- Whether an item was made of it, and its id where the account told it.
    made       BOOLEAN     NOT NULL DEFAULT FALSE,
    media_id   TEXT        COLLATE "C",
    -- Whether more than one may have been made.
    doubtful   BOOLEAN     NOT NULL DEFAULT FALSE,
    PRIMARY KEY (tenant_id, account_id, content),
    CHECK (made OR media_id IS NULL),
    FOREIGN KEY (tenant_id, account_id) REFERENCES storages (tenant_id, id) ON DELETE CASCADE
);
-- These begin as the primary key does, and only what asks for an id or for doubts can use them. How an id is asked for
-- (JOURNALLED_IDS in crates/store/src/postgres/dialect.rs) leaves PostgreSQL no choice, even before it has counted.
CREATE INDEX uploads_by_media_id ON uploads (tenant_id, account_id, media_id) WHERE media_id IS NOT NULL;
CREATE INDEX uploads_doubtful ON uploads (tenant_id, account_id, content) WHERE doubtful;

-- Items that were made although another of the same bytes is there.
CREATE TABLE upload_twins (
    tenant_id  UUID        NOT NULL,
    account_id UUID        NOT NULL,
    media_id   TEXT        COLLATE "C" NOT NULL,
    filename   TEXT        NOT NULL,
    -- The run that found it.
    run_id     UUID        NOT NULL,
    found_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, account_id, media_id),
    FOREIGN KEY (tenant_id, account_id) REFERENCES storages (tenant_id, id) ON DELETE CASCADE
);

-- The albums at the account that stand for an album of a plan.
CREATE TABLE upload_albums (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    -- The hash of the album's name, because no index holds a name that is long.
    album_key BYTEA  NOT NULL CHECK (octet_length(album_key) = 32),
    part      BIGINT NOT NULL CHECK (part >= 0),
    -- JSON.
    album     TEXT   NOT NULL,
    -- Absent while it may or may not have been made.
    album_id  TEXT,
    members   BIGINT NOT NULL DEFAULT 0 CHECK (members >= 0),
    PRIMARY KEY (tenant_id, plan_id, album_key, part),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);

ALTER TABLE uploads ENABLE ROW LEVEL SECURITY;
ALTER TABLE uploads FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON uploads TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON uploads TO tintype_app;
ALTER TABLE upload_twins ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_twins FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON upload_twins TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, DELETE ON upload_twins TO tintype_app;
ALTER TABLE upload_albums ENABLE ROW LEVEL SECURITY;
ALTER TABLE upload_albums FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON upload_albums TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON upload_albums TO tintype_app;
