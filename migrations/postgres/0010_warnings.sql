-- What a tenant was told of an account whose credential will die: of which death, and how many hours before it.
ALTER TABLE storages ADD COLUMN warned_death TIMESTAMPTZ;
ALTER TABLE storages ADD COLUMN warned_hours BIGINT CHECK ((warned_hours IS NULL) = (warned_death IS NULL));

-- The scheduler looks through the accounts of all tenants.
CREATE POLICY all_rows ON storages TO tintype_dispatch USING (true);
GRANT SELECT, UPDATE (warned_death, warned_hours) ON storages TO tintype_dispatch;
