-- One row per cohort and metafield: its most common value, or what its numbers come to. What is text, true or false, or a
-- list of texts is counted; numbers and ratings are averaged; answers from 0 to 10 under $nps_keys become a Net Promoter
-- Score, the percentage of 9 and 10 minus that of 0 to 6. JSON, references, dates and long texts are left out.
WITH field AS (
    SELECT
        member.cohort,
        member.customer_id,
        metafield.namespace,
        metafield.key,
        metafield.type,
        metafield.value,
        CASE
            WHEN metafield.type = 'rating' THEN TRY_CAST(TRY_CAST(metafield.value AS JSON) ->> 'value' AS DOUBLE)
            WHEN metafield.type IN ('number_integer', 'number_decimal') THEN TRY_CAST(metafield.value AS DOUBLE)
        END AS number
    FROM shopify.customer_metafield AS metafield
    JOIN shopify.customer_cohort AS member ON member.customer_id = metafield.customer_id
    WHERE list_contains($namespaces, metafield.namespace)
),

choice AS (
    SELECT
        field.cohort,
        field.customer_id,
        field.namespace,
        field.key,
        trim(one.value) AS value
    FROM field, unnest(
        CASE WHEN field.type LIKE 'list.%' THEN TRY_CAST(field.value AS JSON)::VARCHAR[] ELSE [field.value] END
    ) AS one (value)
    WHERE field.type IN ('single_line_text_field', 'list.single_line_text_field', 'boolean') AND trim(one.value) <> ''
),

common AS (
    SELECT
        cohort,
        namespace,
        key,
        value,
        count(DISTINCT customer_id) AS support
    FROM choice
    GROUP BY cohort, namespace, key, value
    QUALIFY row_number() OVER (PARTITION BY cohort, namespace, key ORDER BY support DESC, value) = 1
),

asked AS (
    SELECT
        cohort,
        namespace,
        key,
        count(DISTINCT customer_id) AS sample_size,
        count(DISTINCT value) AS different
    FROM choice
    GROUP BY cohort, namespace, key
),

measured AS (
    SELECT
        cohort,
        namespace,
        key,
        list_contains($nps_keys, key) AS is_nps,
        avg(number) AS mean,
        count(*) FILTER (number >= 9) AS promoters,
        count(*) FILTER (number <= 6) AS detractors,
        count(*) AS sample_size,
        count(DISTINCT number) AS different
    FROM field
    WHERE number IS NOT NULL AND (number BETWEEN 0 AND 10 OR NOT list_contains($nps_keys, key))
    GROUP BY cohort, namespace, key
),

answer AS (
    SELECT
        common.cohort,
        common.namespace,
        common.key,
        common.value,
        common.support,
        asked.sample_size,
        asked.different,
        round(100 * common.support / asked.sample_size)::BIGINT || '% of them' AS basis
    FROM common
    JOIN asked USING (cohort, namespace, key)
    UNION ALL
    SELECT
        cohort,
        namespace,
        key,
        CASE
            WHEN is_nps THEN round(100 * (promoters - detractors) / sample_size)::BIGINT::VARCHAR
            WHEN mean = 0 THEN '0'
            -- two digits, like every other number
            WHEN abs(mean) >= 10 THEN round(mean, 1 - floor(log10(abs(mean)))::INTEGER)::BIGINT::VARCHAR
            ELSE round(mean, 1 - floor(log10(abs(mean)))::INTEGER)::VARCHAR
        END AS value,
        sample_size AS support,
        sample_size,
        different,
        CASE WHEN is_nps THEN 'Net Promoter Score' ELSE 'on average' END AS basis
    FROM measured
),

size AS (
    SELECT
        cohort,
        count(*) AS customers
    FROM shopify.customer_cohort
    GROUP BY cohort
)

SELECT
    answer.cohort,
    size.customers,
    answer.namespace,
    answer.key,
    replace(answer.key, '_', ' ') AS label,
    answer.value,
    answer.basis,
    answer.support,
    answer.sample_size,
    answer.different
FROM answer
JOIN size ON size.cohort = answer.cohort
ORDER BY answer.cohort, answer.namespace, answer.key
