-- Rows of two tenants as they stood after this step.
INSERT INTO items (tenant_id, plan_id, seq, provider_id, metadata, gone) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 0, 'item-0', '{"filename":"IMG_0.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 1, 'item-1', '{"filename":"IMG_1.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 2, 'item-2', '{"filename":"IMG_2.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', TRUE),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 0, 'item-0', '{"filename":"IMG_0.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 1, 'item-1', '{"filename":"IMG_1.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 2, 'item-2', '{"filename":"IMG_2.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', TRUE);
INSERT INTO item_ids (tenant_id, plan_id, provider_id, seq, metadata_fingerprint, content_fingerprint) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'item-0', 0, 11, 12),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'item-1', 1, -11, -12),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'item-2', 2, 21, 22),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'item-0', 0, 11, 12),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'item-1', 1, -11, -12),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'item-2', 2, 21, 22);
INSERT INTO unstored_items (tenant_id, plan_id, seq, shard_id, fault) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 1, '0190f5a0-0000-7000-8000-00010000000b', NULL),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 2, NULL, '{"kind":"corrupt","message":"short by 3 bytes"}'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 1, '0190f5a0-0000-7000-8000-00020000000b', NULL),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 2, NULL, '{"kind":"corrupt","message":"short by 3 bytes"}');
INSERT INTO item_contents (tenant_id, plan_id, seq, blob, size, path, fidelity) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 0, '\xabababababababababababababababababababababababababababababababab', 2048, 'objects/ab/abababababababababababababababababababababababababababababababab', '{"channel":"app_created","encoding":"download","promised":null,"got":null,"location":"absent"}'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 0, '\xabababababababababababababababababababababababababababababababab', 2048, 'objects/ab/abababababababababababababababababababababababababababababababab', '{"channel":"app_created","encoding":"download","promised":null,"got":null,"location":"absent"}');
INSERT INTO item_paths (tenant_id, plan_id, path_key, path, seq) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'by-month/2024/2024-06/img_0.jpg', 'by-month/2024/2024-06/IMG_0.JPG', 0),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'by-month/2024/2024-06/img_0.jpg', 'by-month/2024/2024-06/IMG_0.JPG', 0);
INSERT INTO albums (tenant_id, plan_id, provider_id, place, facts) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'album-0', 0, '{"provider_id":"album-0","title":"Sea","items_count":1}'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'album-0', 0, '{"provider_id":"album-0","title":"Sea","items_count":1}');
INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 'album-0', 0, 'item-0'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 'album-0', 0, 'item-0');
