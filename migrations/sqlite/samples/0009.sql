-- Rows of two tenants as they stood after this step.
INSERT INTO plans (tenant_id, id, kind, name, source_id, destination_id, archive_id, options, created_at) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a000007000800000010000000c', 'upload', 'upload', x'0190f5a0000070008000000100000003', x'0190f5a0000070008000000100000002', x'0190f5a000007000800000010000000d', '{"layout":"archive","recipients":[],"upload":{"from":"files","albums":true}}', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', x'0190f5a000007000800000020000000c', 'upload', 'upload', x'0190f5a0000070008000000200000003', x'0190f5a0000070008000000200000002', x'0190f5a000007000800000020000000d', '{"layout":"archive","recipients":[],"upload":{"from":"files","albums":true}}', '2026-06-10T16:00:00.123456+00:00');
INSERT INTO uploads (tenant_id, account_id, content, token, expires_at, filename, made, media_id, doubtful) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000002', x'abababababababababababababababababababababababababababababababab', '"CAIS-1"', '2026-06-11T15:00:00+00:00', '"IMG_0.JPG"', TRUE, 'item-0', FALSE),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000002', x'babababababababababababababababababababababababababababababababa', '"CAIS-2"', '2026-06-11T15:00:00+00:00', '"IMG_1.JPG"', FALSE, NULL, TRUE),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000002', x'abababababababababababababababababababababababababababababababab', '"CAIS-1"', '2026-06-11T15:00:00+00:00', '"IMG_0.JPG"', TRUE, 'item-0', FALSE),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000002', x'babababababababababababababababababababababababababababababababa', '"CAIS-2"', '2026-06-11T15:00:00+00:00', '"IMG_1.JPG"', FALSE, NULL, TRUE);
INSERT INTO upload_twins (tenant_id, account_id, media_id, filename, run_id, found_at) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000002', 'item-9', '"IMG_0.JPG"', x'0190f5a000007000800000010000000a', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000002', 'item-9', '"IMG_0.JPG"', x'0190f5a000007000800000020000000a', '2026-06-10T16:00:00.123456+00:00');
INSERT INTO upload_albums (tenant_id, plan_id, album_key, part, album, album_id, members) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a000007000800000010000000c', x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 0, '"2024/Sea"', 'album-1', 20000),
    (x'0190f5a0000070008000000100000001', x'0190f5a000007000800000010000000c', x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 1, '"2024/Sea"', NULL, 0),
    (x'0190f5a0000070008000000200000001', x'0190f5a000007000800000020000000c', x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 0, '"2024/Sea"', 'album-1', 20000),
    (x'0190f5a0000070008000000200000001', x'0190f5a000007000800000020000000c', x'cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd', 1, '"2024/Sea"', NULL, 0);
