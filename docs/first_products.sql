-- Which products do customers buy first, and how many of those customers come back?
with numbered as (
    select
        id,
        customer_id,
        row_number() over (partition by customer_id order by processed_at, id) as position,
        count(*) over (partition by customer_id) as orders
    from shopify.order
    where customer_id is not null and canceled_at is null and not test
)

select
    product.title,
    count(distinct numbered.customer_id) as first_buyers,
    count(distinct numbered.customer_id) filter (where numbered.orders > 1) as came_back,
    round(100 * came_back / first_buyers) as percent
from numbered
join shopify.order_line on order_line.order_id = numbered.id
join shopify.product on product.id = order_line.product_id
where numbered.position = 1
group by product.title
order by first_buyers desc, product.title
limit 5
