-- Messages to publish, and the durable side of the quota (per cloud project, across tenants).
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    tenant_id BLOB NOT NULL,
    shard_id  BLOB NOT NULL,
    UNIQUE (tenant_id, shard_id),
    FOREIGN KEY (tenant_id, shard_id) REFERENCES shards (tenant_id, id)
) STRICT;

CREATE TABLE quota_days (
    project    TEXT    NOT NULL,
    kind       TEXT    NOT NULL CHECK (kind IN ('request', 'download')),
    day        TEXT    NOT NULL,
    -- Units leased and not returned.
    leased     INTEGER NOT NULL CHECK (leased >= 0),
    -- What the latest lease was granted; an upsert cannot return the difference otherwise.
    last_grant INTEGER NOT NULL DEFAULT 0,
    -- The provider said that the day is over: nothing that is returned may be leased again.
    exhausted  INTEGER NOT NULL DEFAULT FALSE CHECK (exhausted IN (FALSE, TRUE)),
    PRIMARY KEY (project, kind, day)
) STRICT, WITHOUT ROWID;
