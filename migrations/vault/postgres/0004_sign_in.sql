-- Sign-ins at Google that an answer is waited for. What lets the answer in is kept as its SHA-256 only.
CREATE TABLE sign_in (
    state_hash    BYTEA  NOT NULL PRIMARY KEY,
    tenant_id     UUID    NOT NULL REFERENCES vault_tenant (tenant_id),
    storage_id    UUID    NOT NULL,
    client_id     TEXT   NOT NULL,
    redirect_uri  TEXT   NOT NULL,
    -- Whether another Google account than the one before may take its place: 0 or 1.
    other_account BIGINT NOT NULL,
    -- The data key that both columns below are sealed with.
    key_version   BIGINT NOT NULL,
    client_secret BYTEA  NOT NULL,
    -- The code verifier of PKCE.
    verifier      BYTEA  NOT NULL,
    expires_at    BIGINT NOT NULL
);

CREATE INDEX sign_in_by_storage ON sign_in (tenant_id, storage_id);

GRANT SELECT, INSERT, DELETE ON sign_in TO tintype_vault;

-- Which Google account a credential is of, by a name that means nothing elsewhere; absent where nobody signed in for it.
ALTER TABLE credential ADD COLUMN account TEXT;
