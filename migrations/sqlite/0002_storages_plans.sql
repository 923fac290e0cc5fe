-- Connected places, and what is copied between them. Settings and options are JSON.
CREATE TABLE storages (
    tenant_id  BLOB NOT NULL REFERENCES tenants (tenant_id),
    id         BLOB NOT NULL CHECK (length(id) = 16),
    name       TEXT NOT NULL,
    settings   TEXT NOT NULL CHECK (json_valid(settings)),
    created_at TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
) STRICT;

CREATE TABLE plans (
    tenant_id      BLOB NOT NULL,
    id             BLOB NOT NULL CHECK (length(id) = 16),
    name           TEXT NOT NULL,
    source_id      BLOB NOT NULL,
    destination_id BLOB NOT NULL,
    archive_id     BLOB NOT NULL CHECK (length(archive_id) = 16),
    options        TEXT NOT NULL CHECK (json_valid(options)),
    created_at     TEXT NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, source_id) REFERENCES storages (tenant_id, id),
    FOREIGN KEY (tenant_id, destination_id) REFERENCES storages (tenant_id, id)
) STRICT;
CREATE INDEX plans_by_source ON plans (tenant_id, source_id);
CREATE INDEX plans_by_destination ON plans (tenant_id, destination_id);
