-- Rows of two tenants as they stood after this step.
INSERT INTO tenants (tenant_id, name, weight, created_at) VALUES
    (x'0190f5a0000070008000000100000001', 'Tenant 1', 1, '2026-06-10T16:00:00.123456+00:00'),
    (x'0190f5a0000070008000000200000001', 'Tenant 2', 2, '2026-06-10T16:00:00.123456+00:00');
