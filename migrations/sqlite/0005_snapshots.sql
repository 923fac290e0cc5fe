-- Snapshots, and which one a run ended with: its own, or an older one that was still true.
CREATE TABLE snapshots (
    tenant_id     BLOB    NOT NULL,
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    plan_id       BLOB    NOT NULL,
    run_id        BLOB    NOT NULL,
    manifest_hash BLOB    NOT NULL CHECK (length(manifest_hash) = 32),
    items         INTEGER NOT NULL CHECK (items >= 0),
    bytes         INTEGER NOT NULL CHECK (bytes >= 0),
    created_at    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, plan_id, id),
    FOREIGN KEY (tenant_id, plan_id, run_id) REFERENCES runs (tenant_id, plan_id, id)
) STRICT;
CREATE INDEX snapshots_by_plan ON snapshots (tenant_id, plan_id, created_at);

CREATE TABLE run_snapshots (
    tenant_id   BLOB NOT NULL,
    plan_id     BLOB NOT NULL,
    run_id      BLOB NOT NULL,
    snapshot_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, plan_id, run_id) REFERENCES runs (tenant_id, plan_id, id),
    FOREIGN KEY (tenant_id, plan_id, snapshot_id) REFERENCES snapshots (tenant_id, plan_id, id)
) STRICT;
