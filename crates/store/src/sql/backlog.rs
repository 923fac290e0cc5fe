//! The statements of the scheduler's every look. They read, and tell the time by themselves.

use sqlx::AssertSqlSafe;

use super::dialect;

/// What waits, of each tenant that has something waiting.
pub(super) const BACKLOG: &str =
    "SELECT t.tenant_id, t.weight, w.items, w.in_flight, t.max_shards, w.oldest
     FROM (SELECT s.tenant_id,
             COUNT(*) FILTER (WHERE s.state = 'ready' AND s.ready_at <= {now}
                 AND r.state IN ('queued', 'running')) AS waiting,
             CAST(COALESCE(SUM(s.items) FILTER (WHERE s.state = 'ready' AND s.ready_at <= {now}
                 AND r.state IN ('queued', 'running')), 0) AS BIGINT) AS items,
             COUNT(*) FILTER (WHERE s.state IN ('dispatched', 'leased')) AS in_flight,
             MIN(s.ready_at) FILTER (WHERE s.state = 'ready' AND s.ready_at <= {now}
                 AND r.state IN ('queued', 'running')) AS oldest
         FROM shards s JOIN runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
         WHERE s.state <> 'done' GROUP BY s.tenant_id) w
     JOIN tenants t ON t.tenant_id = w.tenant_id
     WHERE w.waiting > 0 ORDER BY t.tenant_id";

/// Shards of a tenant in the order in which they are to go: listings and manifests, then bytes, then better ones.
pub(super) const READY: &str = "SELECT s.tenant_id, s.id, s.run_id, s.plan_id, CASE WHEN s.originals THEN 'originals' ELSE s.kind END AS kind,
         CASE WHEN s.stored + s.failed + s.upgraded < s.items
             THEN s.items - s.stored - s.failed - s.upgraded ELSE 0 END AS items
     FROM shards s JOIN runs r ON r.tenant_id = s.tenant_id AND r.id = s.run_id
     WHERE s.tenant_id = $2 AND s.state = 'ready' AND s.ready_at <= {now} AND r.state IN ('queued', 'running')
     ORDER BY CASE WHEN s.originals THEN 2 WHEN s.kind = 'transfer' THEN 1 ELSE 0 END,
         r.created_at, r.id, s.place LIMIT $3";

/// Workers, their slots, shards under way, and the dispatch that is overdue first.
pub(super) const LOAD: &str = "SELECT (SELECT COUNT(*) FROM workers WHERE expires_at > {now}),
     (SELECT CAST(COALESCE(SUM(slots), 0) AS BIGINT) FROM workers WHERE expires_at > {now}),
     (SELECT COUNT(*) FROM shards WHERE overdue_at IS NOT NULL),
     (SELECT MIN(overdue_at) FROM shards WHERE overdue_at IS NOT NULL AND state = 'dispatched')";

/// The statement, whose `{now}` is the time: that of the server, unless the first parameter takes its place.
pub(super) fn timed(statement: &str) -> AssertSqlSafe<String> {
    AssertSqlSafe(statement.replace("{now}", dialect::FIRST_IS_NOW))
}
