UPDATE credential SET used_at = 1700000000000, refresh_token_expires_at = 1700604799000;
