-- One row per tier of predicted customer lifetime value (part: tier), and one per tier and band of churn probability
-- (part: band). Tiers are quantiles of what Klaviyo predicts for the next 365 days; who has no prediction is in none. How
-- many are in a tier is not published: the size of a band that is too small to be told could be had by subtraction.
WITH predicted AS (
    SELECT
        predictive_analytics__predicted_clv AS clv,
        predictive_analytics__historic_clv AS spent,
        predictive_analytics__churn_probability AS churn,
        predictive_analytics__historic_number_of_orders AS orders,
        predictive_analytics__average_order_value AS order_value,
        predictive_analytics__average_days_between_orders AS days,
        predictive_analytics__expected_date_of_next_order AS next_order
    FROM klaviyo.profiles
    WHERE predictive_analytics__predicted_clv IS NOT NULL
),

bounds AS (
    SELECT
        quantile_cont(clv, $middle_from::DOUBLE) AS middle,
        quantile_cont(clv, $high_from::DOUBLE) AS high
    FROM predicted
),

tiered AS (
    SELECT
        predicted.*,
        CASE WHEN clv > bounds.high THEN 'High' WHEN clv > bounds.middle THEN 'Middle' ELSE 'Low' END AS tier,
        CASE
            WHEN churn IS NULL THEN 'unknown'
            WHEN churn > $high_churn::DOUBLE THEN 'high'
            WHEN churn >= $medium_churn::DOUBLE THEN 'medium'
            ELSE 'low'
        END AS churn_risk
    FROM predicted
    CROSS JOIN bounds
),

counted AS (
    SELECT
        *,
        'tier' AS part
    FROM tiered
    UNION ALL
    SELECT
        *,
        'band' AS part
    FROM tiered
),

tier AS (
    SELECT
        tier,
        coalesce(round(100 * avg(churn))::INTEGER::VARCHAR || '%', 'An unknown part') AS churn,
        median(clv)::DECIMAL(18, 0) AS median_predicted,
        median(spent)::DECIMAL(18, 0) AS median_spent,
        median(order_value)::DECIMAL(18, 0) AS median_order,
        round(median(days))::BIGINT AS days
    FROM tiered
    GROUP BY tier
)

SELECT
    tier.tier,
    counted.part,
    CASE counted.part WHEN 'band' THEN counted.churn_risk ELSE 'any' END AS churn_risk,
    count(*) AS customers,
    coalesce(tier.median_predicted, 0) AS median_predicted,
    coalesce(tier.median_spent, 0) AS median_spent,
    coalesce(tier.median_order, 0) AS median_order,
    CASE
        WHEN tier.days IS NULL THEN 'No second order yet'
        WHEN tier.days < 2 THEN 'Orders nearly every day'
        WHEN tier.days < 100 THEN 'Orders about every ' || tier.days || ' days'
        ELSE 'Orders about every ' || round(tier.days, -1) || ' days' -- two digits, like every other number
    END AS rhythm,
    tier.churn AS tier_churn,
    coalesce(avg(counted.orders), 0) AS orders,
    coalesce(round(100 * avg(counted.churn))::INTEGER::VARCHAR || '%', 'an unknown part') AS churn,
    coalesce(round(10 * avg((counted.next_order < $as_of::TIMESTAMPTZ)::INTEGER))::INTEGER, 0) AS overdue_of_ten
FROM counted
JOIN tier ON tier.tier = counted.tier
GROUP BY ALL
ORDER BY median_predicted DESC, tier.tier, counted.part DESC, churn_risk
