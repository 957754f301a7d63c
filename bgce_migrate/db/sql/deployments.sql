-- name: events
-- What was recorded of a deployment, and of others since its first row.
SELECT h.id::text, h.run_id::text, h.deployment, h.error
FROM {schema}.migration_history h
WHERE h.direction = 'correction' AND h.name = 'deployment'
  AND (h.deployment = $1 OR h.id > (SELECT min(o.id) FROM {schema}.migration_history o WHERE o.deployment = $1))
ORDER BY h.id
