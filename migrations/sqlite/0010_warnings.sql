-- What a tenant was told of an account whose credential will die: of which death, and how many hours before it.
ALTER TABLE storages ADD COLUMN warned_death TEXT;
ALTER TABLE storages ADD COLUMN warned_hours INTEGER CHECK ((warned_hours IS NULL) = (warned_death IS NULL));
