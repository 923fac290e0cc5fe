-- Runs of what a person picks, and items that are the same photo seen another way.
-- A column of its own beside `mode`, because SQLite cannot change what a column may hold.
ALTER TABLE runs ADD COLUMN picks BOOLEAN NOT NULL DEFAULT FALSE;

-- The item at seq is a rendition of the one at of_seq.
CREATE TABLE item_renditions (
    tenant_id UUID   NOT NULL,
    plan_id   UUID   NOT NULL,
    seq       BIGINT NOT NULL CHECK (seq >= 0),
    of_seq    BIGINT NOT NULL CHECK (of_seq >= 0 AND of_seq <> seq),
    PRIMARY KEY (tenant_id, plan_id, seq)
);

ALTER TABLE item_renditions ENABLE ROW LEVEL SECURITY;
ALTER TABLE item_renditions FORCE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON item_renditions TO tintype_app
    USING (tenant_id = (SELECT nullif(current_setting('app.tenant_id', true), '')::uuid));
GRANT SELECT, INSERT, UPDATE ON item_renditions TO tintype_app;
