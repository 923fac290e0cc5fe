-- Connected places, and what is copied between them. Settings and options are JSON.
CREATE TABLE storages (
    tenant_id  UUID        NOT NULL REFERENCES tenants (tenant_id),
    id         UUID        NOT NULL,
    name       TEXT        NOT NULL,
    settings   TEXT        NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name)
);

CREATE TABLE plans (
    tenant_id      UUID        NOT NULL,
    id             UUID        NOT NULL,
    name           TEXT        NOT NULL,
    source_id      UUID        NOT NULL,
    destination_id UUID        NOT NULL,
    archive_id     UUID        NOT NULL,
    options        TEXT        NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (tenant_id, id),
    UNIQUE (tenant_id, name),
    FOREIGN KEY (tenant_id, source_id) REFERENCES storages (tenant_id, id),
    FOREIGN KEY (tenant_id, destination_id) REFERENCES storages (tenant_id, id)
);
CREATE INDEX plans_by_source ON plans (tenant_id, source_id);
CREATE INDEX plans_by_destination ON plans (tenant_id, destination_id);

ALTER TABLE storages ENABLE ROW LEVEL SECURITY;
ALTER TABLE storages FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON storages TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE, DELETE ON storages TO tintype_app;
ALTER TABLE plans ENABLE ROW LEVEL SECURITY;
ALTER TABLE plans FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON plans TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON plans TO tintype_app;
