-- What each customer cohort is worth: the kind of question that the domain tables are for.
select
    case when orders_count >= 5 then 'loyal' when orders_count >= 2 then 'returning' else 'new' end as cohort,
    count(*) as customers,
    sum(orders_count)::bigint as orders,
    median(total_spent)::decimal(18, 2) as median_spent
from shopify.customer
where orders_count > 0
group by cohort
order by customers desc
