-- Rows of two tenants as they stood after this step.
INSERT INTO shards (tenant_id, id, plan_id, run_id, kind, originals, items, first_seq, last_seq, state, ready_at, upgraded) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a000007000800000010000000c', x'0190f5a0000070008000000100000004', x'0190f5a0000070008000000100000006', 'transfer', TRUE, 2, 0, 2, 'ready', '2026-06-10T16:00:00.123456+00:00', 1),
    (x'0190f5a0000070008000000200000001', x'0190f5a000007000800000020000000c', x'0190f5a0000070008000000200000004', x'0190f5a0000070008000000200000006', 'transfer', TRUE, 2, 0, 2, 'ready', '2026-06-10T16:00:00.123456+00:00', 1);
UPDATE plans SET originals_proxy = 'http://127.0.0.1:8282', originals_after = 0;
