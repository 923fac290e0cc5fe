-- What many processes share: who is there, who leads, what is due.
ALTER TABLE tenants ADD COLUMN max_shards INTEGER CHECK (max_shards >= 1);

-- JSON; the next time it comes true, by which due plans are found.
ALTER TABLE plans ADD COLUMN schedule TEXT CHECK (schedule IS NULL OR json_valid(schedule));
ALTER TABLE plans ADD COLUMN next_due_at TEXT;
CREATE INDEX plans_due ON plans (next_due_at) WHERE next_due_at IS NOT NULL;

-- The span that asked for the run (W3C traceparent).
ALTER TABLE runs ADD COLUMN trace TEXT;
CREATE INDEX runs_open ON runs (state) WHERE state NOT IN ('succeeded', 'partial', 'failed', 'cancelled');

CREATE TABLE named_leases (
    name       TEXT    NOT NULL PRIMARY KEY,
    -- Absent while nobody holds it; the row stays, so that epochs go on growing.
    holder     BLOB,
    epoch      INTEGER NOT NULL,
    expires_at TEXT    NOT NULL
) STRICT;

CREATE TABLE workers (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name       TEXT    NOT NULL,
    slots      INTEGER NOT NULL CHECK (slots >= 0),
    expires_at TEXT    NOT NULL
) STRICT;
