UPDATE credential SET access_token = decode(repeat('00', 80), 'hex'), access_number = 2, access_expires_at = 1700003600000,
    lease_holder = '00000000-0000-0000-0000-000000000000', lease_until = 1700000045000, forced_at = 1700000000000;
