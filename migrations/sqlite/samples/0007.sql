-- Rows as they stood after this step.
UPDATE tenants SET max_shards = 4 WHERE name = 'Tenant 1';
UPDATE plans SET schedule = '{"cron":"30 3 * * *","time_zone":"Europe/Berlin"}', next_due_at = '2026-06-11T01:30:00+00:00';
UPDATE runs SET trace = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' WHERE state = 'running';
INSERT INTO named_leases (name, holder, epoch, expires_at) VALUES
    ('scheduler', x'0190f5a0000070008000000100000010', 3, '2026-06-10T16:00:10+00:00');
INSERT INTO workers (id, name, slots, expires_at) VALUES
    (x'0190f5a0000070008000000100000009', 'host-1', 6, '2026-06-10T16:00:30+00:00');
