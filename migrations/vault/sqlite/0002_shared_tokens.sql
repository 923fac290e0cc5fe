-- What replicas share of a storage's access token: the token itself, who refreshes it, and how long Google is left alone.
ALTER TABLE credential ADD COLUMN access_token BLOB;
-- The audit number of the refresh it came from.
ALTER TABLE credential ADD COLUMN access_number BIGINT;
ALTER TABLE credential ADD COLUMN access_expires_at BIGINT;
-- The replica that refreshes, and until when the others wait for it.
ALTER TABLE credential ADD COLUMN lease_holder BLOB;
ALTER TABLE credential ADD COLUMN lease_until BIGINT;
-- Failures of Google's token endpoint in a row, and when it may be asked again.
ALTER TABLE credential ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE credential ADD COLUMN retry_at BIGINT;
-- When a living token was replaced last because Google's API rejected it.
ALTER TABLE credential ADD COLUMN forced_at BIGINT;
