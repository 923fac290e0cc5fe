-- Rows of two tenants as they stood after this step.
INSERT INTO shards (tenant_id, id, plan_id, run_id, kind, originals, items, first_seq, last_seq, state, ready_at, upgraded) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-00010000000c', '0190f5a0-0000-7000-8000-000100000004', '0190f5a0-0000-7000-8000-000100000006', 'transfer', TRUE, 2, 0, 2, 'ready', '2026-06-10T16:00:00.123456+00:00', 1),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-00020000000c', '0190f5a0-0000-7000-8000-000200000004', '0190f5a0-0000-7000-8000-000200000006', 'transfer', TRUE, 2, 0, 2, 'ready', '2026-06-10T16:00:00.123456+00:00', 1);
UPDATE plans SET originals_proxy = 'http://127.0.0.1:8282', originals_after = 0;
