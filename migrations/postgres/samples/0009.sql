-- Rows of two tenants as they stood after this step.
INSERT INTO plans (tenant_id, id, kind, name, source_id, destination_id, archive_id, options, created_at) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-00010000000c', 'upload', 'upload', '0190f5a0-0000-7000-8000-000100000003', '0190f5a0-0000-7000-8000-000100000002', '0190f5a0-0000-7000-8000-00010000000d', '{"layout":"archive","recipients":[],"upload":{"from":"files","albums":true}}', '2026-06-10T16:00:00.123456+00:00'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-00020000000c', 'upload', 'upload', '0190f5a0-0000-7000-8000-000200000003', '0190f5a0-0000-7000-8000-000200000002', '0190f5a0-0000-7000-8000-00020000000d', '{"layout":"archive","recipients":[],"upload":{"from":"files","albums":true}}', '2026-06-10T16:00:00.123456+00:00');
INSERT INTO uploads (tenant_id, account_id, content, token, expires_at, filename, made, media_id, doubtful) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000002', '\xabababababababababababababababababababababababababababababababab', '"CAIS-1"', '2026-06-11T15:00:00+00:00', '"IMG_0.JPG"', TRUE, 'item-0', FALSE),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000002', '\xbabababababababababababababababababababababababababababababababa', '"CAIS-2"', '2026-06-11T15:00:00+00:00', '"IMG_1.JPG"', FALSE, NULL, TRUE),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000002', '\xabababababababababababababababababababababababababababababababab', '"CAIS-1"', '2026-06-11T15:00:00+00:00', '"IMG_0.JPG"', TRUE, 'item-0', FALSE),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000002', '\xbabababababababababababababababababababababababababababababababa', '"CAIS-2"', '2026-06-11T15:00:00+00:00', '"IMG_1.JPG"', FALSE, NULL, TRUE);
INSERT INTO upload_twins (tenant_id, account_id, media_id, filename, run_id, found_at) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000002', 'item-9', '"IMG_0.JPG"', '0190f5a0-0000-7000-8000-00010000000a', '2026-06-10T16:00:00.123456+00:00'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000002', 'item-9', '"IMG_0.JPG"', '0190f5a0-0000-7000-8000-00020000000a', '2026-06-10T16:00:00.123456+00:00');
INSERT INTO upload_albums (tenant_id, plan_id, album_key, part, album, album_id, members) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-00010000000c', '\xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 0, '"2024/Sea"', 'album-1', 20000),
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-00010000000c', '\xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 1, '"2024/Sea"', NULL, 0),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-00020000000c', '\xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 0, '"2024/Sea"', 'album-1', 20000),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-00020000000c', '\xcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 1, '"2024/Sea"', NULL, 0);
