-- Rows as they stood after this step.
UPDATE storages SET warned_death = '2026-06-17T16:00:00+00:00', warned_hours = 72;
