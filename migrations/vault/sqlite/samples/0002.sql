UPDATE credential SET access_token = zeroblob(80), access_number = 2, access_expires_at = 1700003600000,
    lease_holder = zeroblob(16), lease_until = 1700000045000, forced_at = 1700000000000;
