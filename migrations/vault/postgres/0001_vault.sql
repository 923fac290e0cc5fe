-- The vault's own database: nothing else is kept here, and nothing of it elsewhere.
-- Times are milliseconds since 1970 (UTC), sealed columns are format byte, nonce, ciphertext and tag; wrapped keys may also
-- be what an outside key service made of them.

-- The role that the program works as: it does not log in and owns nothing; the login of the program is a member of it.
-- Roles belong to the whole server: an administrator or another database may have made it, or may be making it right now.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'tintype_vault') THEN
        CREATE ROLE tintype_vault NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'tintype_vault', 'MEMBER') THEN
        GRANT tintype_vault TO current_user;
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO tintype_vault;

-- Each logged use changes the tenant's row: room beside it saves a new page, and an entry in each index.
CREATE TABLE vault_tenant (
    tenant_id        UUID   NOT NULL PRIMARY KEY,
    -- Grows when the data key is replaced.
    data_key_version BIGINT NOT NULL,
    -- Which key-encryption key both keys below are wrapped with.
    kek_version      BIGINT NOT NULL,
    -- Absent once the tenant was destroyed: then nothing sealed with it can ever be opened.
    data_key         BYTEA,
    -- Kept after destruction, so that the log can still be verified.
    audit_key        BYTEA  NOT NULL,
    -- Length and end of the audit chain; the head authenticates both, so that a cut tail is noticed.
    audit_count      BIGINT NOT NULL,
    audit_mac        BYTEA  NOT NULL,
    audit_head       BYTEA  NOT NULL,
    destroyed_at     BIGINT
) WITH (fillfactor = 50);

CREATE INDEX vault_tenant_by_kek ON vault_tenant (kek_version, tenant_id);

CREATE TABLE credential (
    tenant_id                UUID   NOT NULL REFERENCES vault_tenant (tenant_id),
    storage_id               UUID   NOT NULL,
    kind                     TEXT   NOT NULL CHECK (kind IN ('google', 's3')),
    public_id                TEXT   NOT NULL,
    -- The audit number of the entry that put it: changes when a person replaces the secret.
    generation               BIGINT NOT NULL,
    -- The audit number of the entry that sealed it last: changes with every new refresh token too.
    version                  BIGINT NOT NULL,
    -- The data key that what is sealed here is sealed with.
    key_version              BIGINT NOT NULL,
    -- Client secret or secret access key.
    secret                   BYTEA  NOT NULL,
    refresh_token            BYTEA,
    -- A JSON array of text.
    scopes                   TEXT   NOT NULL,
    refresh_token_expires_at BIGINT,
    refused                  TEXT,
    PRIMARY KEY (tenant_id, storage_id)
);

CREATE TABLE signing_key (
    tenant_id   UUID   NOT NULL REFERENCES vault_tenant (tenant_id),
    storage_id  UUID   NOT NULL,
    key_version BIGINT NOT NULL,
    -- An Ed25519 key pair as PKCS #8.
    pkcs8       BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, storage_id)
);

CREATE TABLE audit_entry (
    tenant_id  UUID   NOT NULL REFERENCES vault_tenant (tenant_id),
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    action     TEXT   NOT NULL,
    storage_id UUID,
    run_id     UUID,
    purpose    TEXT   NOT NULL,
    -- HMAC over the entry and the one before it.
    mac        BYTEA  NOT NULL,
    PRIMARY KEY (tenant_id, number)
);

-- The chain detects changes; this refuses the careless ones, of the owner too.
CREATE FUNCTION audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION 'the audit log is append-only';
END $$;

CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_is_append_only();
CREATE TRIGGER audit_entry_is_never_emptied BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_is_append_only();

GRANT SELECT, INSERT, UPDATE ON vault_tenant TO tintype_vault;
GRANT SELECT, INSERT, UPDATE, DELETE ON credential, signing_key TO tintype_vault;
GRANT SELECT, INSERT ON audit_entry TO tintype_vault;
