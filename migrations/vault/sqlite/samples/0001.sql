INSERT INTO vault_tenant (tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head)
VALUES (x'01930000000070008000000000000001', 1, 1, zeroblob(61), zeroblob(61), 1, zeroblob(32), zeroblob(32));
INSERT INTO credential (tenant_id, storage_id, kind, public_id, generation, version, key_version, secret, refresh_token, scopes)
VALUES (x'01930000000070008000000000000001', x'01930000000070008000000000000002', 'google', '1-a.apps.googleusercontent.com',
        1, 1, 1, zeroblob(48), zeroblob(64), '[]');
INSERT INTO signing_key (tenant_id, storage_id, key_version, pkcs8)
VALUES (x'01930000000070008000000000000001', x'01930000000070008000000000000002', 1, zeroblob(112));
INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, purpose, mac)
VALUES (x'01930000000070008000000000000001', 1, 1700000000000, 'put', x'01930000000070008000000000000002', 'credential',
        zeroblob(32));
