-- Answers to calls with an idempotency key, for a day. A call that is repeated has one effect.
CREATE TABLE kept_answers (
    -- The zero id for calls that are about no tenant; hence no reference to tenants.
    tenant_id   BLOB    NOT NULL CHECK (length(tenant_id) = 16),
    key         TEXT    NOT NULL,
    -- Of what was asked.
    fingerprint BLOB    NOT NULL,
    -- Grows each time that the call is given to somebody.
    epoch       INTEGER NOT NULL,
    -- Without an answer by then, somebody else may take the call.
    busy_until  TEXT    NOT NULL,
    -- JSON; absent while the call is under way.
    answer      TEXT CHECK (answer IS NULL OR json_valid(answer)),
    expires_at  TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, key)
) STRICT;
CREATE INDEX kept_answers_by_age ON kept_answers (tenant_id, expires_at);
