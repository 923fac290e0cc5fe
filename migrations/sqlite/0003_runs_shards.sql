-- Runs, and the shards that workers lease.
CREATE TABLE runs (
    tenant_id  BLOB NOT NULL,
    plan_id    BLOB NOT NULL,
    id         BLOB NOT NULL CHECK (length(id) = 16),
    mode       TEXT NOT NULL CHECK (mode IN ('full', 'routine')),
    state      TEXT NOT NULL CHECK (state IN (
        'queued', 'running', 'pausing', 'paused', 'waiting_quota', 'waiting_auth', 'waiting_user',
        'succeeded', 'partial', 'failed', 'cancelled')),
    reason     TEXT CHECK (reason IS NULL OR json_valid(reason)),
    resumes_at TEXT,
    created_at TEXT NOT NULL,
    ended_at   TEXT,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, plan_id, id),
    FOREIGN KEY (tenant_id, plan_id) REFERENCES plans (tenant_id, id)
) STRICT;
-- One unfinished run a plan.
CREATE UNIQUE INDEX runs_one_open ON runs (tenant_id, plan_id)
    WHERE state NOT IN ('succeeded', 'partial', 'failed', 'cancelled');
CREATE INDEX runs_by_resume ON runs (resumes_at) WHERE resumes_at IS NOT NULL;
CREATE INDEX runs_pausing ON runs (tenant_id, id) WHERE state = 'pausing';

CREATE TABLE shards (
    -- The order in which shards were made.
    place       INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id   BLOB    NOT NULL,
    id          BLOB    NOT NULL CHECK (length(id) = 16),
    plan_id     BLOB    NOT NULL,
    run_id      BLOB    NOT NULL,
    kind        TEXT    NOT NULL CHECK (kind IN ('enumerate', 'transfer', 'finalize')),
    items       INTEGER NOT NULL CHECK (items >= 0),
    -- Where to look for its items.
    first_seq   INTEGER,
    last_seq    INTEGER,
    state       TEXT    NOT NULL CHECK (state IN ('ready', 'dispatched', 'leased', 'set_aside', 'done')),
    -- Not to be dispatched before.
    ready_at    TEXT    NOT NULL,
    -- When a dispatch counts as lost, or a lease ends.
    overdue_at  TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    attempt     INTEGER NOT NULL DEFAULT 0,
    -- Failures in a row without anything getting done.
    failures    INTEGER NOT NULL DEFAULT 0,
    worker_id   BLOB,
    -- When the present holder got its lease.
    leased_at   TEXT   ,
    -- Whether the holder is asked to hand it back, for a tenant that waits.
    recalled    INTEGER NOT NULL DEFAULT FALSE CHECK (recalled IN (FALSE, TRUE)),
    -- Why it was set aside.
    reason      TEXT,
    listed      INTEGER NOT NULL DEFAULT 0,
    added       INTEGER NOT NULL DEFAULT 0,
    changed     INTEGER NOT NULL DEFAULT 0,
    gone        INTEGER NOT NULL DEFAULT 0,
    queued      INTEGER NOT NULL DEFAULT 0,
    stored      INTEGER NOT NULL DEFAULT 0,
    failed      INTEGER NOT NULL DEFAULT 0,
    bytes       INTEGER NOT NULL DEFAULT 0,
    requests    INTEGER NOT NULL DEFAULT 0,
    downloads   INTEGER NOT NULL DEFAULT 0,
    UNIQUE (tenant_id, id),
    CHECK ((state IN ('dispatched', 'leased')) = (overdue_at IS NOT NULL)),
    FOREIGN KEY (tenant_id, plan_id, run_id) REFERENCES runs (tenant_id, plan_id, id)
) STRICT;
CREATE INDEX shards_by_run ON shards (tenant_id, run_id, place);
CREATE INDEX shards_open ON shards (tenant_id, state, ready_at) WHERE state <> 'done';
CREATE INDEX shards_overdue ON shards (overdue_at) WHERE overdue_at IS NOT NULL;

-- Where a run's listing stands.
CREATE TABLE checkpoints (
    tenant_id BLOB NOT NULL,
    run_id    BLOB NOT NULL,
    cursor    TEXT NOT NULL,
    seen      BLOB NOT NULL,
    PRIMARY KEY (tenant_id, run_id),
    FOREIGN KEY (tenant_id, run_id) REFERENCES runs (tenant_id, id)
) STRICT;
