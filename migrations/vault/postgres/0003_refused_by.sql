-- Who refuses a credential: Google the refresh token ('token') or the OAuth client ('client'), or a keeper of the vault ('keeper').
-- Each has another way out.
ALTER TABLE credential ADD COLUMN refused_by TEXT CHECK (refused_by IN ('token', 'client', 'keeper'));
UPDATE credential SET refused_by = 'token' WHERE refused IS NOT NULL;
