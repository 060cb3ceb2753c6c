"""Values that Shopify's GraphQL does not have as fields, and that domain tables read as `computed.<name>`."""

from __future__ import annotations

from courier.config.project import ColumnType
from courier.storage.selection import Computed
from courier.storage.shape_values import typed

# Money has no fixed number of digits: more of them are summed than a column holds, and the column checks the sum.
_EXACT = typed("amount", False, ColumnType("decimal", 27, 12))
# Texts that are no such number stay texts: the row then is a record in error, and not a wrong sum.
_SUM = f"""coalesce(max(amount) FILTER (amount IS NOT NULL AND {_EXACT} IS NULL),
       CAST(sum({_EXACT}) AS VARCHAR), '0')"""

_TOTAL = f"""
WITH priced AS (
  SELECT "__record", originalTotalSet.shopMoney.amount AS amount FROM {{Order.lineItems}}
), totals AS (
  SELECT "__record", {_SUM} AS total FROM priced GROUP BY "__record"
)
SELECT "order"."__record" AS "__record", coalesce(totals.total, '0') AS result
FROM {{Order}} AS "order" LEFT JOIN totals ON totals."__record" = "order"."__record"
"""

_CODES = """
WITH listed AS (
  SELECT DISTINCT "__record", code AS key
  FROM (SELECT "__record", unnest(discountCodes) AS code FROM {Order}) WHERE code IS NOT NULL
), applied AS (
  SELECT "__record", code, TRY_CAST("index" AS BIGINT) AS position, targetType AS target, "value"."__typename" AS kind
  FROM {Order.discountApplications} WHERE code IS NOT NULL
), matched AS (
  SELECT listed."__record", listed.key, applied.position, applied.target, applied.kind
  FROM listed JOIN applied ON applied."__record" = listed."__record" AND lower(applied.code) = lower(listed.key)
)"""

_AMOUNT = f"""{_CODES}, opened AS (
  SELECT "__record", unnest(discountAllocations) AS allocation FROM {{Order.lineItems}}
), opened_shipping AS (
  SELECT "__record", unnest(discountAllocations) AS allocation FROM {{Order.shippingLines}}
), allocated AS (
  SELECT "__record", TRY_CAST(allocation.discountApplication."index" AS BIGINT) AS position,
         allocation.allocatedAmountSet.shopMoney.amount AS amount FROM opened
  UNION ALL
  SELECT "__record", TRY_CAST(allocation.discountApplication."index" AS BIGINT),
         allocation.allocatedAmountSet.shopMoney.amount FROM opened_shipping
)
SELECT matched."__record" AS "__record", matched.key AS key, {_SUM} AS result
FROM matched LEFT JOIN allocated ON allocated."__record" = matched."__record" AND allocated.position = matched.position
GROUP BY matched."__record", matched.key
"""

_TYPE = f"""{_CODES}
SELECT "__record", key, arg_min(
         CASE WHEN target = 'SHIPPING_LINE' THEN 'shipping'
              WHEN kind = 'MoneyV2' THEN 'fixed_amount'
              WHEN kind = 'PricingPercentageValue' THEN 'percentage' END, position) AS result
FROM matched GROUP BY "__record", key
"""

_APPLIED = (
    "Order.discountCodes[]",
    "Order.discountApplications[].index",
    "Order.discountApplications[].code",
    "Order.discountApplications[].targetType",
    "Order.discountApplications[].value.__typename",
)


def _allocations(lines: str) -> tuple[str, ...]:
    return (
        f"{lines}[].discountAllocations[].allocatedAmountSet.shopMoney.amount",
        f"{lines}[].discountAllocations[].discountApplication.index",
    )


COMPUTED = (
    Computed(
        name="total_line_items_price",
        rows="Order",
        reads=("Order.lineItems[].originalTotalSet.shopMoney.amount",),
        sql=_TOTAL,
        meaning="The sum of all lines before discounts, in the shop's currency; 0 for an order without lines.",
    ),
    Computed(
        name="discount_code_amount",
        rows="Order.discountCodes[]",
        reads=(*_APPLIED, *_allocations("Order.lineItems"), *_allocations("Order.shippingLines")),
        sql=_AMOUNT,
        meaning="What the code took off lines and shipping, in the shop's currency; null where nothing tells.",
    ),
    Computed(
        name="discount_code_type",
        rows="Order.discountCodes[]",
        reads=_APPLIED,
        sql=_TYPE,
        meaning="shipping, fixed_amount or percentage; null where nothing tells.",
    ),
)
