"""The records of one state of the made-up store, by list."""

from __future__ import annotations

from functools import cached_property, partial

from courier.sandbox.bigcommerce import catalogue, ids, people, sales
from courier.sandbox.bigcommerce.listing import Item
from courier.sandbox.bigcommerce.made import FormFieldRow, attribute_values, attributes, channels, form_fields, reviews
from courier.sandbox.bigcommerce.values import Node
from courier.sandbox.history.rows import AddressRow, CustomerFamily, History, OrderFamily, ProductFamily

NOTHING: frozenset[str] = frozenset()


class Index:
    """Made once per revision of the shop; each list when it is first asked for."""

    def __init__(self, history: History, currency: str) -> None:
        self.history = history
        self.currency = currency
        self.include: frozenset[str] = NOTHING  # of the request under way

    @cached_property
    def customers(self) -> list[Item]:
        return [self._customer(family) for family in self.history.customers.values()]

    def _customer(self, family: CustomerFamily) -> Item:
        row, identity = family.customer, ids.customer(family.customer.id)
        times = {"date_created": row.created_at, "date_modified": row.updated_at}
        return Item(identity, partial(self._tell_customer, family), times, {})

    def _tell_customer(self, family: CustomerFamily) -> Node:
        fields = self.form_fields.get(ids.customer(family.customer.id), {})
        return people.customer(family, self.include, fields)

    @cached_property
    def form_fields(self) -> dict[int, dict[int | None, list[FormFieldRow]]]:
        """Customer -> None for its own, or an address -> fields."""
        found: dict[int, dict[int | None, list[FormFieldRow]]] = {}
        for row in form_fields(self.history):
            found.setdefault(row.owner, {}).setdefault(row.address_id, []).append(row)
        return found

    @cached_property
    def form_field_values(self) -> list[Item]:
        rows = [row for ways in self.form_fields.values() for rows in ways.values() for row in rows]
        return [
            Item(number, partial(people.form_field_value, row), {}, {"customer_id": row.owner})
            for number, row in enumerate(rows)
        ]

    @cached_property
    def addresses(self) -> list[Item]:
        rows = (row for family in self.history.customers.values() for row in family.addresses)
        return [
            Item(ids.address(row.id), partial(self._tell_address, row), {},
                 {"customer_id": ids.customer(row.customer_id)})
            for row in rows
        ]  # fmt: skip

    def _tell_address(self, row: AddressRow) -> Node:
        fields = self.form_fields.get(ids.customer(row.customer_id), {})
        return people.address(row, fields if "formfields" in self.include else None)

    @cached_property
    def attributes(self) -> list[Item]:
        return [
            Item(row.id, partial(people.attribute, row), {"date_modified": row.created_at}, {})
            for row in attributes(self.history)
        ]

    @cached_property
    def attribute_values(self) -> list[Item]:
        rows = (row for family in self.history.customers.values() for row in attribute_values(family.customer))
        return [
            Item(
                row.id, partial(people.attribute_value, row), {"date_modified": row.updated_at},
                {"customer_id": row.customer_id, "attribute_id": row.attribute_id},
            )
            for row in rows
        ]  # fmt: skip

    @cached_property
    def families(self) -> dict[int, ProductFamily]:
        return {ids.product(identity): family for identity, family in self.history.products.items()}

    @cached_property
    def products(self) -> list[Item]:
        return [
            Item(identity, partial(self._tell_product, family), {"date_modified": family.product.updated_at}, {})
            for identity, family in self.families.items()
        ]

    def _tell_product(self, family: ProductFamily) -> Node:
        return catalogue.product(self.history, family, self.include)

    @cached_property
    def variants(self) -> list[Item]:
        return [
            Item(ids.variant(row.id), partial(catalogue.variant, row, family), {}, {"product_id": identity})
            for identity, family in self.families.items()
            for row in family.variants
        ]

    def reviews(self, product: int) -> list[Item]:
        family = self.families[product]
        return [Item(row.id, partial(catalogue.review, row), {}, {}) for row in reviews(self.history, family)]

    @cached_property
    def channels(self) -> list[Item]:
        return [
            Item(row.id, partial(catalogue.channel, row), {"date_modified": row.updated_at}, {})
            for row in channels(self.history)
        ]

    @cached_property
    def orders(self) -> dict[int, OrderFamily]:
        return {ids.order(family.order.number): family for family in self.history.orders.values()}

    @cached_property
    def refunds(self) -> list[Item]:
        return [
            Item(
                ids.refund(row.id), partial(sales.refund, family, row), {"created": row.updated_at},
                {"order_id": identity},
            )
            for identity, family in self.orders.items()
            for row in family.refunds
        ]  # fmt: skip
