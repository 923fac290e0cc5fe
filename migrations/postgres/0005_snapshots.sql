-- Snapshots, and which one a run ended with: its own, or an older one that was still true.
CREATE TABLE snapshots (
    tenant_id     UUID        NOT NULL,
    id            UUID        NOT NULL,
    plan_id       UUID        NOT NULL,
    run_id        UUID        NOT NULL,
    manifest_hash BYTEA       NOT NULL CHECK (octet_length(manifest_hash) = 32),
    items         BIGINT      NOT NULL CHECK (items >= 0),
    bytes         BIGINT      NOT NULL CHECK (bytes >= 0),
    created_at    TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, plan_id, id),
    FOREIGN KEY (tenant_id, plan_id, run_id) REFERENCES runs (tenant_id, plan_id, id)
);
CREATE INDEX snapshots_by_plan ON snapshots (tenant_id, plan_id, created_at);

CREATE TABLE run_snapshots (
    tenant_id   UUID NOT NULL,
    plan_id     UUID NOT NULL,
    run_id      UUID NOT NULL,
    snapshot_id UUID NOT NULL,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, plan_id, run_id) REFERENCES runs (tenant_id, plan_id, id),
    FOREIGN KEY (tenant_id, plan_id, snapshot_id) REFERENCES snapshots (tenant_id, plan_id, id)
);

ALTER TABLE snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON snapshots TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT ON snapshots TO tintype_app;
ALTER TABLE run_snapshots ENABLE ROW LEVEL SECURITY;
ALTER TABLE run_snapshots FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON run_snapshots TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON run_snapshots TO tintype_app;
