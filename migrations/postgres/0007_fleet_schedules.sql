-- What many processes share: who is there, who leads, what is due.
ALTER TABLE tenants ADD COLUMN max_shards BIGINT CHECK (max_shards >= 1);
GRANT UPDATE (name, weight, max_shards) ON tenants TO tintype_app;

-- JSON; the next time it comes true, by which due plans are found.
ALTER TABLE plans ADD COLUMN schedule TEXT;
ALTER TABLE plans ADD COLUMN next_due_at TIMESTAMPTZ;
CREATE INDEX plans_due ON plans (next_due_at) WHERE next_due_at IS NOT NULL;
CREATE POLICY all_rows ON plans TO tintype_dispatch USING (true);
GRANT SELECT, UPDATE (next_due_at) ON plans TO tintype_dispatch;

-- The span that asked for the run (W3C traceparent).
ALTER TABLE runs ADD COLUMN trace TEXT;
CREATE INDEX runs_open ON runs (state) WHERE state NOT IN ('succeeded', 'partial', 'failed', 'cancelled');

CREATE TABLE named_leases (
    name       TEXT        NOT NULL PRIMARY KEY,
    -- Absent while nobody holds it; the row stays, so that epochs go on growing.
    holder     UUID,
    epoch      BIGINT      NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE workers (
    id         UUID        NOT NULL PRIMARY KEY,
    name       TEXT        NOT NULL,
    slots      BIGINT      NOT NULL CHECK (slots >= 0),
    expires_at TIMESTAMPTZ NOT NULL
);

-- No tenant owns these.
GRANT SELECT, INSERT, UPDATE, DELETE ON named_leases, workers TO tintype_dispatch;
