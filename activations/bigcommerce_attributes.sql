-- One row per cohort of BigCommerce customers and attribute: its most common value, or what its numbers come to. A
-- customer's orders count that brought revenue; those without any are in no cohort. Texts are compared in lower case,
-- dates are left out: most are somebody's birthday.
WITH member AS (
    SELECT
        customer_id,
        CASE WHEN count(*) >= 6 THEN 'Loyal' WHEN count(*) >= 2 THEN 'Returning' ELSE 'New' END AS cohort,
        count(*) AS orders,
        sum(total_inc_tax / nullif(store_default_to_transactional_exchange_rate, 0)) AS spent
    FROM bigcommerce.orders
    WHERE customer_id > 0 AND NOT is_deleted AND status_id NOT IN (0, 1, 5, 6, 7)
    GROUP BY customer_id
),

size AS (
    SELECT
        cohort,
        count(*) AS customers,
        median(spent)::DECIMAL(18, 0) AS median_spent,
        quantile_disc(orders, 0.05) AS orders_low,
        quantile_disc(orders, 0.95) AS orders_high
    FROM member
    GROUP BY cohort
),

answer AS (
    SELECT
        member.cohort,
        member.customer_id,
        attribute.name AS attribute,
        attribute.type,
        lower(trim(given.attribute_value)) AS value,
        TRY_CAST(given.attribute_value AS DOUBLE) AS number
    FROM bigcommerce.customer_attribute_values AS given
    JOIN bigcommerce.customer_attributes AS attribute ON attribute.id = given.attribute_id
    JOIN member ON member.customer_id = given.customer_id
    WHERE attribute.type IN ('string', 'number') AND trim(coalesce(given.attribute_value, '')) <> ''
),

common AS (
    SELECT
        cohort,
        attribute,
        value,
        count(DISTINCT customer_id) AS support
    FROM answer
    WHERE type = 'string'
    GROUP BY cohort, attribute, value
    QUALIFY row_number() OVER (PARTITION BY cohort, attribute ORDER BY support DESC, value) = 1
),

asked AS (
    SELECT
        cohort,
        attribute,
        count(DISTINCT customer_id) AS sample_size,
        count(DISTINCT value) AS different
    FROM answer
    WHERE type = 'string'
    GROUP BY cohort, attribute
),

published AS (
    SELECT
        common.cohort,
        common.attribute,
        common.value,
        common.support,
        asked.sample_size,
        asked.different,
        round(100 * common.support / asked.sample_size)::BIGINT || '% of them' AS basis
    FROM common
    JOIN asked USING (cohort, attribute)
    UNION ALL
    SELECT
        cohort,
        attribute,
        CASE
            WHEN avg(number) = 0 THEN '0'
            -- two digits, like every other number
            WHEN abs(avg(number)) >= 10 THEN round(avg(number), 1 - floor(log10(abs(avg(number))))::INTEGER)::BIGINT::VARCHAR
            ELSE round(avg(number), 1 - floor(log10(abs(avg(number))))::INTEGER)::VARCHAR
        END AS value,
        count(DISTINCT customer_id) AS support,
        count(DISTINCT customer_id) AS sample_size,
        count(DISTINCT number) AS different,
        'on average' AS basis
    FROM answer
    WHERE type = 'number' AND isfinite(number)
    GROUP BY cohort, attribute
)

SELECT
    size.cohort,
    size.customers,
    size.median_spent,
    size.orders_low,
    size.orders_high,
    published.attribute,
    published.value,
    published.basis,
    published.support,
    published.sample_size,
    published.different
FROM published
JOIN size ON size.cohort = published.cohort
ORDER BY size.cohort, published.attribute
