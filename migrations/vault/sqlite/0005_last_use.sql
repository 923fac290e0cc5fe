-- When Google took the refresh token last: it dies after six months without use. The death that Google announces stands in
-- refresh_token_expires_at, and failures in a row in failures.
ALTER TABLE credential ADD COLUMN used_at BIGINT;
-- An access token that is there was had an hour before its end.
UPDATE credential SET used_at = access_expires_at - 3600000 WHERE access_expires_at IS NOT NULL;
