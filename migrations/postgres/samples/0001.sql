-- Rows of two tenants as they stood after this step.
INSERT INTO tenants (tenant_id, name, weight, created_at) VALUES
    ('0190f5a0-0000-7000-8000-000100000001', 'Tenant 1', 1, '2026-06-10T16:00:00.123456+00:00'),
    ('0190f5a0-0000-7000-8000-000200000001', 'Tenant 2', 2, '2026-06-10T16:00:00.123456+00:00');
