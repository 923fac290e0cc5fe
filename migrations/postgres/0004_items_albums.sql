-- The catalogue of a plan. What the provider wrote (names, titles, messages) is kept as JSON text, in which any character is
-- plain ASCII or valid UTF-8, a NUL included.
-- Items have no foreign keys, which would be checked for every row and cost a third of the time: they are written only under
-- the lease of a shard, whose own keys tie it to the same tenant and plan (crates/store/src/sql/fence.rs).
CREATE TABLE items (
    tenant_id            UUID    NOT NULL,
    plan_id              UUID    NOT NULL,
    seq                  BIGINT  NOT NULL CHECK (seq >= 0),
    provider_id          TEXT    NOT NULL,
    metadata             TEXT    NOT NULL,
    metadata_fingerprint BIGINT  NOT NULL,
    content_fingerprint  BIGINT  NOT NULL,
    state                TEXT    NOT NULL CHECK (state IN ('pending', 'stored', 'failed')),
    shard_id             UUID,
    gone                 BOOLEAN NOT NULL DEFAULT FALSE,
    blob                 BYTEA   CHECK (blob IS NULL OR octet_length(blob) = 32),
    size                 BIGINT,
    path                 TEXT,
    fidelity             TEXT,
    fault                TEXT,
    PRIMARY KEY (tenant_id, plan_id, seq),
    UNIQUE (tenant_id, plan_id, provider_id),
    CHECK (state <> 'stored' OR blob IS NOT NULL),
    CHECK ((state = 'failed') = (fault IS NOT NULL)),
    CHECK (shard_id IS NULL OR state = 'pending')
);
CREATE INDEX items_by_shard ON items (tenant_id, shard_id, seq) WHERE shard_id IS NOT NULL;
CREATE INDEX items_unstored ON items (tenant_id, plan_id, seq) WHERE state <> 'stored';

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
