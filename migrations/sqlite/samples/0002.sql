-- Rows of two tenants as they stood after this step.
INSERT INTO storages (tenant_id, id, name, settings, created_at) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000002', 'photos', '{"kind":"google_photos","project":"123456789012","start_year":2000,"include_archived":false,"read_size":false}', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000003', 'disk', '{"kind":"local_folder","path":"/srv/photos"}', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000002', 'photos', '{"kind":"google_photos","project":"123456789012","start_year":2000,"include_archived":false,"read_size":false}', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000003', 'disk', '{"kind":"local_folder","path":"/srv/photos"}', '2026-06-10T16:00:00.123456+00:00');
INSERT INTO plans (tenant_id, id, name, source_id, destination_id, archive_id, options, created_at) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 'backup', x'0190f5a0000070008000000100000002', x'0190f5a0000070008000000100000003', x'0190f5a0000070008000000100000005', '{"layout":"archive","recipients":[]}', '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 'backup', x'0190f5a0000070008000000200000002', x'0190f5a0000070008000000200000003', x'0190f5a0000070008000000200000005', '{"layout":"archive","recipients":[]}', '2026-06-10T16:00:00.123456+00:00');
