-- What each customer cohort is worth: the kind of question that the domain tables are for.
-- Who is in which is said in domain_tables/shopify/customer_cohort.sql, and there alone.
select
    cohort,
    count(*) as customers,
    sum(orders_count)::bigint as orders,
    median(total_spent)::decimal(18, 2) as median_spent
from shopify.customer_cohort
group by cohort
order by customers desc
