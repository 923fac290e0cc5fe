-- Rows of two tenants as they stood after this step.
INSERT INTO item_renditions (tenant_id, plan_id, seq, of_seq) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', '0190f5a0-0000-7000-8000-000100000004', 2, 0),
    ('0190f5a0-0000-7000-8000-000200000001', '0190f5a0-0000-7000-8000-000200000004', 2, 0);
