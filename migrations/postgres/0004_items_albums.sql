-- The catalogue of a plan. What the provider wrote (names, titles, messages) is kept as JSON text, in which any character is
-- plain ASCII or valid UTF-8, a NUL included.
-- Items have no foreign keys, which would be checked for every row and cost a third of the time: they are written only under
-- the lease of a shard, whose own keys tie it to the same tenant and plan (crates/store/src/sql/fence.rs).
CREATE TABLE items (
    tenant_id   UUID    NOT NULL,
    plan_id     UUID    NOT NULL,
    seq         BIGINT  NOT NULL CHECK (seq >= 0),
    provider_id TEXT    COLLATE "C" NOT NULL,
    metadata    TEXT    NOT NULL,
    gone        BOOLEAN NOT NULL DEFAULT FALSE,
    PRIMARY KEY (tenant_id, plan_id, seq)
);

-- What a listing is compared with. A table of its own, so that no table of items has two indexes: until it knows how many plans
-- there are, PostgreSQL takes either for as good, and may read a whole plan for each id.
CREATE TABLE item_ids (
    tenant_id            UUID   NOT NULL,
    plan_id              UUID   NOT NULL,
    provider_id          TEXT   COLLATE "C" NOT NULL,
    seq                  BIGINT NOT NULL CHECK (seq >= 0),
    metadata_fingerprint BIGINT NOT NULL,
    content_fingerprint  BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, provider_id)
);

-- What is not stored: an item with a row here waits for its bytes, in a shard or for one, or has failed. Apart from the items,
-- so that a transfer touches narrow rows only, and so that what is left is found without an index over everything.
CREATE TABLE unstored_items (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    seq       BIGINT NOT NULL CHECK (seq >= 0),
    shard_id  UUID,
    fault     TEXT,
    PRIMARY KEY (tenant_id, plan_id, seq),
    CHECK (shard_id IS NULL OR fault IS NULL)
);

-- The bytes we hold. An item that is asked for again keeps its older ones until the newer ones are there.
CREATE TABLE item_contents (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    seq       BIGINT NOT NULL CHECK (seq >= 0),
    blob      BYTEA  NOT NULL CHECK (octet_length(blob) = 32),
    size      BIGINT NOT NULL CHECK (size >= 0),
    path      TEXT   NOT NULL,
    fidelity  TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, seq)
);

-- Mirror paths. path_key is the path in NFC and lower case, so that no two names meet on any file system. Never freed:
-- an older file may still lie there.
CREATE TABLE item_paths (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    path_key  TEXT   NOT NULL,
    path      TEXT   NOT NULL,
    seq       BIGINT NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, path_key),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);

CREATE TABLE albums (
    tenant_id   UUID   NOT NULL,
    plan_id     UUID   NOT NULL,
    provider_id TEXT   NOT NULL,
    place       BIGINT NOT NULL,
    facts       TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, provider_id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
);

CREATE TABLE album_members (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    album_id  TEXT   NOT NULL,
    position  BIGINT NOT NULL CHECK (position >= 0),
    item_id   TEXT   NOT NULL,
    PRIMARY KEY (tenant_id, plan_id, album_id, position),
    FOREIGN KEY (tenant_id, plan_id, album_id) REFERENCES albums (tenant_id, plan_id, provider_id) ON DELETE CASCADE
);

ALTER TABLE items ENABLE ROW LEVEL SECURITY;
ALTER TABLE items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON items TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON items TO tintype_app;
ALTER TABLE item_ids ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_ids FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON item_ids TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON item_ids TO tintype_app;
ALTER TABLE unstored_items ENABLE ROW LEVEL SECURITY;
ALTER TABLE unstored_items FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON unstored_items TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON unstored_items TO tintype_app;
ALTER TABLE item_contents ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_contents FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON item_contents TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON item_contents TO tintype_app;
ALTER TABLE item_paths ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_paths FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON item_paths TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT ON item_paths TO tintype_app;
ALTER TABLE albums ENABLE ROW LEVEL SECURITY;
ALTER TABLE albums FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON albums TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON albums TO tintype_app;
ALTER TABLE album_members ENABLE ROW LEVEL SECURITY;
ALTER TABLE album_members FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON album_members TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, DELETE ON album_members TO tintype_app;
