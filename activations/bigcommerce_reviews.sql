-- One row per review that is sent: of the approved ones with a text the latest $per_star of each number of stars, cut at
-- $letters letters. The statistics stand in every row, are of all approved reviews, and are what SQL counts and no
-- language model: averages and shares of those with stars (0 is none), the last 180 days against the 180 before.
WITH approved AS (
    SELECT
        id,
        product_id,
        title,
        text,
        date_reviewed,
        nullif(rating, 0) AS stars
    FROM bigcommerce.product_reviews
    WHERE status = 'approved' AND rating BETWEEN 0 AND 5 AND date_reviewed < $as_of::TIMESTAMPTZ
),

statistics AS (
    SELECT
        count(*) AS reviews,
        count(DISTINCT product_id) AS products,
        round(avg(stars), 2) AS average_stars,
        round(100 * avg((stars >= 4)::INTEGER))::INTEGER AS positive,
        round(100 * avg((stars <= 2)::INTEGER))::INTEGER AS negative,
        round(avg(stars) FILTER (date_reviewed >= $as_of::TIMESTAMPTZ - to_days(180)), 2) AS recent_stars,
        round(avg(stars) FILTER (
            date_reviewed < $as_of::TIMESTAMPTZ - to_days(180) AND date_reviewed >= $as_of::TIMESTAMPTZ - to_days(360)
        ), 2) AS earlier_stars
    FROM approved
),

sample AS (
    SELECT
        *,
        row_number() OVER (PARTITION BY stars ORDER BY date_reviewed DESC, id) AS place
    FROM approved
    WHERE trim(coalesce(text, '')) <> ''
)

SELECT
    sample.id::VARCHAR AS review_id,
    left(coalesce(product.name, 'a product that is gone'), 80) AS product,
    sample.stars,
    left(coalesce(sample.title, ''), 100) AS title,
    left(sample.text, $letters::INTEGER) AS text,
    statistics.reviews,
    statistics.products,
    coalesce(statistics.average_stars, 0) AS average_stars,
    coalesce(statistics.positive, 0) AS positive,
    coalesce(statistics.negative, 0) AS negative,
    coalesce(statistics.recent_stars, 0) AS recent_stars,
    coalesce(statistics.earlier_stars, 0) AS earlier_stars
FROM sample
CROSS JOIN statistics
LEFT JOIN bigcommerce.products AS product ON product.id = sample.product_id
WHERE sample.place <= $per_star::INTEGER
ORDER BY sample.stars, sample.place
