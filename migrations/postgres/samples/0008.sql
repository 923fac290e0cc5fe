-- Rows of two tenants as they stood after this step.
INSERT INTO kept_answers (tenant_id, key, fingerprint, epoch, busy_until, answer, expires_at) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', 'first', '\x07', 1, '2026-06-10T16:02:00+00:00', '{"status":201,"headers":[],"body":"{}"}', '2026-06-11T16:00:00+00:00'),
    ('0190f5a0-0000-7000-8000-000200000001', 'first', '\x08', 2, '2026-06-10T16:02:00+00:00', NULL, '2026-06-11T16:00:00+00:00');
