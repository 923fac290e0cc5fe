-- Rows of two tenants as they stood after this step.
INSERT INTO kept_answers (tenant_id, key, fingerprint, epoch, busy_until, answer, expires_at) VALUES
    (x'0190f5a0000070008000000100000001', 'first', x'07', 1, '2026-06-10T16:02:00+00:00', '{"status":201,"headers":[],"body":"{}"}', '2026-06-11T16:00:00+00:00'),
    (x'0190f5a0000070008000000200000001', 'first', x'08', 2, '2026-06-10T16:02:00+00:00', NULL, '2026-06-11T16:00:00+00:00');
