-- Rows of two tenants as they stood after this step.
INSERT INTO outbox (tenant_id, shard_id) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a000007000800000010000000b'),
    (x'0190f5a0000070008000000200000001', x'0190f5a000007000800000020000000b');
INSERT INTO quota_days (project, kind, day, leased, last_grant, exhausted) VALUES
    ('123456789012', 'download', '2026-06-10', 75000, 500, TRUE);
