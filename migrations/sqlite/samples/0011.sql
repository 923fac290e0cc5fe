-- Rows of two tenants as they stood after this step.
INSERT INTO item_renditions (tenant_id, plan_id, seq, of_seq) VALUES
    (x'0190f5a0000070008000000100000001', x'0190f5a0000070008000000100000004', 2, 0),
    (x'0190f5a0000070008000000200000001', x'0190f5a0000070008000000200000004', 2, 0);
