INSERT INTO sign_in SELECT zeroblob(32), tenant_id, storage_id, public_id, 'http://127.0.0.1:8460/oauth/callback', 0, key_version,
    zeroblob(60), zeroblob(72), 1700000600000 FROM credential LIMIT 1;
UPDATE credential SET account = '100000000000000000001';
