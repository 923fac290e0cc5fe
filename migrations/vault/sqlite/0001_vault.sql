-- The vault's own database: nothing else is kept here, and nothing of it elsewhere.
-- Times are milliseconds since 1970 (UTC), ids are the 16 bytes of a UUID, sealed columns are format byte, nonce,
-- ciphertext and tag.

CREATE TABLE vault_tenant (
    tenant_id        BLOB    NOT NULL PRIMARY KEY,
    -- Grows when the data key is replaced.
    data_key_version BIGINT  NOT NULL,
    -- Which key-encryption key both keys below are wrapped with.
    kek_version      BIGINT  NOT NULL,
    -- Absent once the tenant was destroyed: then nothing sealed with it can ever be opened.
    data_key         BLOB,
    -- Kept after destruction, so that the log can still be verified.
    audit_key        BLOB    NOT NULL,
    -- Length and end of the audit chain; the head authenticates both, so that a cut tail is noticed.
    audit_count      BIGINT  NOT NULL,
    audit_mac        BLOB    NOT NULL,
    audit_head       BLOB    NOT NULL,
    destroyed_at     BIGINT
);

CREATE INDEX vault_tenant_by_kek ON vault_tenant (kek_version, tenant_id);

CREATE TABLE credential (
    tenant_id                BLOB   NOT NULL REFERENCES vault_tenant (tenant_id),
    storage_id               BLOB   NOT NULL,
    kind                     TEXT   NOT NULL CHECK (kind IN ('google', 's3')),
    public_id                TEXT   NOT NULL,
    -- The audit number of the entry that put it: changes when a person replaces the secret.
    generation               BIGINT NOT NULL,
    -- The audit number of the entry that sealed it last: changes with every new refresh token too.
    version                  BIGINT NOT NULL,
    -- The data key that both columns below are sealed with.
    key_version              BIGINT NOT NULL,
    -- Client secret or secret access key.
    secret                   BLOB   NOT NULL,
    refresh_token            BLOB,
    -- A JSON array of text.
    scopes                   TEXT   NOT NULL,
    refresh_token_expires_at BIGINT,
    refused                  TEXT,
    PRIMARY KEY (tenant_id, storage_id)
);

CREATE TABLE signing_key (
    tenant_id   BLOB   NOT NULL REFERENCES vault_tenant (tenant_id),
    storage_id  BLOB   NOT NULL,
    key_version BIGINT NOT NULL,
    -- An Ed25519 key pair as PKCS #8.
    pkcs8       BLOB   NOT NULL,
    PRIMARY KEY (tenant_id, storage_id)
);

CREATE TABLE audit_entry (
    tenant_id  BLOB   NOT NULL REFERENCES vault_tenant (tenant_id),
    number     BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    action     TEXT   NOT NULL,
    storage_id BLOB,
    run_id     BLOB,
    purpose    TEXT   NOT NULL,
    -- HMAC over the entry and the one before it.
    mac        BLOB   NOT NULL,
    PRIMARY KEY (tenant_id, number)
);

-- The chain detects changes; these refuse the careless ones.
CREATE TRIGGER audit_entry_is_never_changed BEFORE UPDATE ON audit_entry
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;

CREATE TRIGGER audit_entry_is_never_deleted BEFORE DELETE ON audit_entry
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
