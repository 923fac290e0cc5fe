-- Tenants, and the two roles that the program works as. Neither logs in, owns anything or passes row-level security;
-- the login of the program is a member of both.
-- Roles belong to the whole server: another database may have made them, or may be making them right now.
DO $$ BEGIN
    CREATE ROLE tintype_app NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    CREATE ROLE tintype_dispatch NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
DO $$ BEGIN
    IF NOT pg_has_role(current_user, 'tintype_app', 'MEMBER') THEN
        GRANT tintype_app TO current_user;
    END IF;
    IF NOT pg_has_role(current_user, 'tintype_dispatch', 'MEMBER') THEN
        GRANT tintype_dispatch TO current_user;
    END IF;
END $$;
GRANT USAGE ON SCHEMA public TO tintype_app, tintype_dispatch;

CREATE TABLE tenants (
    tenant_id  UUID        NOT NULL PRIMARY KEY,
    name       TEXT        NOT NULL,
    weight     BIGINT      NOT NULL CHECK (weight >= 1),
    created_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX tenants_by_name ON tenants (name, created_at);

ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON tenants TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT ON tenants TO tintype_app;
CREATE POLICY all_rows ON tenants TO tintype_dispatch USING (true);
GRANT SELECT ON tenants TO tintype_dispatch;
