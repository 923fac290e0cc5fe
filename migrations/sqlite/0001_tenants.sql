-- Tenants. Ids are 16-byte UUIDs; times are RFC 3339 text in UTC, which sorts as time does.
CREATE TABLE tenants (
    tenant_id  BLOB    NOT NULL PRIMARY KEY CHECK (length(tenant_id) = 16),
    name       TEXT    NOT NULL,
    weight     INTEGER NOT NULL CHECK (weight >= 1),
    created_at TEXT    NOT NULL
) STRICT;
CREATE INDEX tenants_by_name ON tenants (name, created_at);
