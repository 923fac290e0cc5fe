INSERT INTO sign_in SELECT decode(repeat('00', 32), 'hex'), tenant_id, storage_id, public_id,
    'http://127.0.0.1:8460/oauth/callback', 0, key_version, decode(repeat('00', 60), 'hex'), decode(repeat('00', 72), 'hex'),
    1700000600000 FROM credential LIMIT 1;
UPDATE credential SET account = '100000000000000000001';
