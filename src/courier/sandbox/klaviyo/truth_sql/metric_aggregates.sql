WITH counted AS (
    SELECT e.*, d.starts FROM made.event e JOIN made.day d ON e.at >= d.starts AND e.at < d.next
    WHERE e.metric_id = 'MtrOrd'
), told AS (
    SELECT starts, '$attributed_flow' AS dimension_key, coalesce(flow, '') AS dimension_value, profile_id, value FROM counted
    UNION ALL
    SELECT starts, '$attributed_message', coalesce(message, ''), profile_id, value FROM counted
), summed AS (
    SELECT starts, dimension_key, dimension_value, count(*)::DOUBLE AS count,
        sum(round(value * 100)::BIGINT) / 100.0::DOUBLE AS sum_value, count(DISTINCT profile_id)::DOUBLE AS "unique"
    FROM told GROUP BY ALL
), every AS (
    SELECT d.starts, g.* FROM made.day d, (SELECT DISTINCT dimension_key, dimension_value FROM told) g
), measured AS (
    SELECT e.*, coalesce(s.count, 0)::DOUBLE AS count, coalesce(s.sum_value, 0)::DOUBLE AS sum_value,
        coalesce(s."unique", 0)::DOUBLE AS "unique"
    FROM every e LEFT JOIN summed s USING (starts, dimension_key, dimension_value)
)
SELECT 'MtrOrd' AS metric_id, to_timestamp(starts) AS date, dimension_key, dimension_value, measurement, value
FROM measured UNPIVOT (value FOR measurement IN (count, sum_value, "unique"))
