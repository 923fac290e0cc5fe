-- Rows of two tenants as they stood after this step.
INSERT INTO items (tenant_id, plan_id, seq, provider_id, metadata, gone) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 0, 'item-0', '{"filename":"IMG_0.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 1, 'item-1', '{"filename":"IMG_1.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 2, 'item-2', '{"filename":"IMG_2.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', TRUE),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 0, 'item-0', '{"filename":"IMG_0.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 1, 'item-1', '{"filename":"IMG_1.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', FALSE),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 2, 'item-2', '{"filename":"IMG_2.JPG","mime_type":"image/jpeg","kind":"photo","camera":{}}', TRUE);
INSERT INTO item_ids (tenant_id, plan_id, provider_id, seq, metadata_fingerprint, content_fingerprint) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'item-0', 0, 11, 12),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'item-1', 1, -11, -12),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'item-2', 2, 21, 22),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'item-0', 0, 11, 12),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'item-1', 1, -11, -12),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'item-2', 2, 21, 22);
INSERT INTO unstored_items (tenant_id, plan_id, seq, shard_id, fault) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 1, x'0190f5a000007000800000010000000b', NULL),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 2, NULL, '{"kind":"corrupt","message":"short by 3 bytes"}'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 1, x'0190f5a000007000800000020000000b', NULL),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 2, NULL, '{"kind":"corrupt","message":"short by 3 bytes"}');
INSERT INTO item_contents (tenant_id, plan_id, seq, blob, size, path, fidelity) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 0, x'abababababababababababababababababababababababababababababababab', 2048, 'objects/ab/abababababababababababababababababababababababababababababababab', '{"channel":"app_created","encoding":"download","promised":null,"got":null,"location":"absent"}'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 0, x'abababababababababababababababababababababababababababababababab', 2048, 'objects/ab/abababababababababababababababababababababababababababababababab', '{"channel":"app_created","encoding":"download","promised":null,"got":null,"location":"absent"}');
INSERT INTO item_paths (tenant_id, plan_id, path_key, path, seq) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'by-month/2024/2024-06/img_0.jpg', 'by-month/2024/2024-06/IMG_0.JPG', 0),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'by-month/2024/2024-06/img_0.jpg', 'by-month/2024/2024-06/IMG_0.JPG', 0);
INSERT INTO albums (tenant_id, plan_id, provider_id, place, facts) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'album-0', 0, '{"provider_id":"album-0","title":"Sea","items_count":1}'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'album-0', 0, '{"provider_id":"album-0","title":"Sea","items_count":1}');
INSERT INTO album_members (tenant_id, plan_id, album_id, position, item_id) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'album-0', 0, 'item-0'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'album-0', 0, 'item-0');
