-- Rows of two tenants as they stood after this step.
INSERT INTO outbox (tenant_id, shard_id) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-00010000000b'),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-00020000000b');
INSERT INTO quota_days (project, kind, day, leased, last_grant, exhausted) VALUES
    ('123456789012', 'download', '2026-06-10', 75000, 500, TRUE);
