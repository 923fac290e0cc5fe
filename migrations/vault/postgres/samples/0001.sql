INSERT INTO vault_tenant (tenant_id, data_key_version, kek_version, data_key, audit_key, audit_count, audit_mac, audit_head)
VALUES ('01930000000070008000000000000001'::uuid, 1, 1, decode(repeat('00', 61), 'hex'), decode(repeat('00', 61), 'hex'), 1, decode(repeat('00', 32), 'hex'), decode(repeat('00', 32), 'hex'));
INSERT INTO credential (tenant_id, storage_id, kind, public_id, generation, version, key_version, secret, refresh_token, scopes)
VALUES ('01930000000070008000000000000001'::uuid, '01930000000070008000000000000002'::uuid, 'google', '1-a.apps.googleusercontent.com',
        1, 1, 1, decode(repeat('00', 48), 'hex'), decode(repeat('00', 64), 'hex'), '[]');
INSERT INTO signing_key (tenant_id, storage_id, key_version, pkcs8)
VALUES ('01930000000070008000000000000001'::uuid, '01930000000070008000000000000002'::uuid, 1, decode(repeat('00', 112), 'hex'));
INSERT INTO audit_entry (tenant_id, number, at, action, storage_id, purpose, mac)
VALUES ('01930000000070008000000000000001'::uuid, 1, 1700000000000, 'put', '01930000000070008000000000000002'::uuid, 'credential',
        decode(repeat('00', 32), 'hex'));
