-- Answers to calls with an idempotency key, for a day. A call that is repeated has one effect.
CREATE TABLE kept_answers (
    -- The zero id for calls that are about no tenant; hence no reference to tenants.
    tenant_id   UUID        NOT NULL,
    key         TEXT        NOT NULL,
    -- Of what was asked.
    fingerprint BYTEA       NOT NULL,
    -- Grows each time that the call is given to somebody.
    epoch       BIGINT      NOT NULL,
    -- Without an answer by then, somebody else may take the call.
    busy_until  TIMESTAMPTZ NOT NULL,
    -- JSON; absent while the call is under way.
    answer      TEXT,
    expires_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, key)
);
CREATE INDEX kept_answers_by_age ON kept_answers (tenant_id, expires_at);

ALTER TABLE kept_answers ENABLE ROW LEVEL SECURITY;
ALTER TABLE kept_answers FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON kept_answers TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON kept_answers TO tintype_app;
