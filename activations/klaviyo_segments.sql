-- One row per pair of segments of a Klaviyo account: how many profiles are in both, by Jaccard (of all in either) and
-- containment (of the smaller one). From the members themselves: sizes alone tell nothing of overlap. `customers` is the
-- smallest group of people that a row tells of, those in only one of the two included, so that none is too small.
WITH member AS (
    SELECT DISTINCT
        members.segment_id,
        members.profile_id
    FROM klaviyo.segment_profiles AS members
    JOIN klaviyo.segments AS segment ON segment.id = members.segment_id
    WHERE segment.is_active AND NOT coalesce(segment.is_processing, false)
),

size AS (
    SELECT
        segment_id,
        count(*) AS people
    FROM member
    GROUP BY segment_id
),

shared AS (
    SELECT
        a.segment_id AS a_id,
        b.segment_id AS b_id,
        count(*) AS people
    FROM member AS a
    JOIN member AS b ON a.profile_id = b.profile_id AND a.segment_id < b.segment_id
    GROUP BY a.segment_id, b.segment_id
),

pair AS (
    SELECT
        a.segment_id AS a_id,
        b.segment_id AS b_id,
        a.people AS a_size,
        b.people AS b_size,
        coalesce(shared.people, 0) AS overlap
    FROM size AS a
    JOIN size AS b ON a.segment_id < b.segment_id
    LEFT JOIN shared ON shared.a_id = a.segment_id AND shared.b_id = b.segment_id
)

SELECT
    a.name AS segment_a,
    b.name AS segment_b,
    pair.a_size AS size_a,
    pair.b_size AS size_b,
    pair.overlap,
    round(pair.overlap / (pair.a_size + pair.b_size - pair.overlap), 4) AS jaccard,
    round(pair.overlap / least(pair.a_size, pair.b_size), 4) AS containment,
    CASE
        WHEN pair.overlap = 0 THEN 'disjoint'
        WHEN pair.overlap = pair.a_size AND pair.overlap = pair.b_size THEN 'the same'
        WHEN pair.overlap = pair.a_size THEN 'the first is part of the second'
        WHEN pair.overlap = pair.b_size THEN 'the second is part of the first'
        ELSE 'partial'
    END AS relation,
    least(
        pair.a_size,
        pair.b_size,
        coalesce(nullif(pair.overlap, 0), pair.a_size),
        coalesce(nullif(pair.a_size - pair.overlap, 0), pair.a_size),
        coalesce(nullif(pair.b_size - pair.overlap, 0), pair.b_size)
    ) AS customers,
    [a.name, b.name] AS names -- what the answer may name
FROM pair
JOIN klaviyo.segments AS a ON a.id = pair.a_id
JOIN klaviyo.segments AS b ON b.id = pair.b_id
ORDER BY jaccard DESC, pair.overlap DESC, segment_a, segment_b
