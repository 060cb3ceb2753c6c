"""The relational tables of the made-up history.

Instants are whole seconds since 1970 in UTC, money is in cents of the shop's currency, so that no later layer can
mistake the tables for what the emulated API sends. A family holds the rows that change together.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from courier.sandbox.history.options import Options

Seconds = int
Cents = int


@dataclass(frozen=True, slots=True)
class Place:
    """The part of an address that its city decides."""

    address1: str | None
    address2: str | None
    city: str | None
    province: str | None
    province_code: str | None
    country: str | None
    country_code: str | None
    zip: str | None


@dataclass(frozen=True, slots=True)
class LocationRow:
    id: int
    name: str
    is_active: bool
    is_fulfillment_service: bool
    created_at: Seconds
    updated_at: Seconds
    phone: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class ProductRow:
    id: int
    title: str
    handle: str
    description_html: str
    product_type: str
    vendor: str
    status: str
    tags: tuple[str, ...]
    template_suffix: str | None
    created_at: Seconds
    updated_at: Seconds
    published_at: Seconds | None


@dataclass(frozen=True, slots=True)
class VariantRow:
    id: int
    product_id: int
    inventory_item_id: int
    title: str
    sku: str | None
    barcode: str | None
    price: Cents
    compare_at_price: Cents | None
    position: int
    option_names: tuple[str, ...]
    option_values: tuple[str, ...]
    taxable: bool
    inventory_policy: str
    inventory_quantity: int | None
    requires_shipping: bool
    tracked: bool
    weight_unit: str | None
    weight_value: float | None
    created_at: Seconds
    updated_at: Seconds


@dataclass(frozen=True, slots=True)
class ProductFamily:
    product: ProductRow
    variants: tuple[VariantRow, ...]


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """`orders_count`, `amount_spent` and `last_order_id` move only together with `updated_at`."""

    id: int
    created_at: Seconds
    updated_at: Seconds
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    note: str | None
    state: str
    tags: tuple[str, ...]
    tax_exempt: bool
    verified_email: bool
    multipass_identifier: str | None
    default_address_id: int | None
    orders_count: int
    amount_spent: Cents
    last_order_id: int | None


@dataclass(frozen=True, slots=True)
class AddressRow:
    id: int
    customer_id: int
    first_name: str | None
    last_name: str | None
    company: str | None
    phone: str | None
    place: Place


@dataclass(frozen=True, slots=True)
class CustomerFamily:
    customer: CustomerRow
    addresses: tuple[AddressRow, ...]


@dataclass(frozen=True, slots=True)
class OrderRow:
    id: int
    number: int
    name: str
    created_at: Seconds
    updated_at: Seconds
    processed_at: Seconds
    closed_at: Seconds | None
    cancelled_at: Seconds | None
    cancel_reason: str | None
    customer_id: int | None
    app_id: int | None
    location_id: int | None
    staff_id: int | None
    email: str | None
    phone: str | None
    note: str | None
    tags: tuple[str, ...]
    client_ip: str | None
    accepts_marketing: bool
    locale: str | None
    currency: str
    presentment_currency: str
    financial_status: str | None
    fulfillment_status: str
    estimated_taxes: bool
    taxes_included: bool
    test: bool
    token: str
    cart_token: str | None
    checkout_token: str | None
    journey: str | None  # null, "waiting" (not ready yet) or "ready"
    landing_page: str | None
    referrer: str | None
    source_name: str | None
    source_identifier: str | None
    source_url: str | None
    discount_codes: tuple[str, ...] = ()
    total_weight: int | None = None
    subtotal: Cents | None = 0
    total_discounts: Cents | None = 0
    total_price: Cents = 0
    total_tax: Cents | None = 0
    total_tip: Cents = 0
    outstanding: Cents = 0
    current_subtotal: Cents = 0
    current_discounts: Cents = 0
    current_price: Cents = 0
    current_tax: Cents = 0


@dataclass(frozen=True, slots=True)
class LineRow:
    id: int
    order_id: int
    product_id: int | None
    variant_id: int | None
    name: str
    title: str
    variant_title: str | None
    sku: str | None
    vendor: str | None
    quantity: int
    current_quantity: int
    fulfillable_quantity: int
    fulfillment_status: str
    fulfillment_service: str | None
    gift_card: bool
    requires_shipping: bool
    taxable: bool
    weight_unit: str | None
    weight_value: float | None
    price: Cents
    total_discount: Cents


@dataclass(frozen=True, slots=True)
class ApplicationRow:
    """A discount on an order. `kind`: code, automatic, manual or script; `label` is its code or its title."""

    order_id: int
    index: int
    kind: str
    label: str
    target_type: str
    target_selection: str
    allocation_method: str
    percentage: float | None
    amount: Cents | None


@dataclass(frozen=True, slots=True)
class AllocationRow:
    """What one discount takes off one line. `line_id` is a line's, or a shipping line's when `shipping` is set."""

    order_id: int
    line_id: int
    shipping: bool
    position: int
    application_index: int
    amount: Cents


@dataclass(frozen=True, slots=True)
class ShippingLineRow:
    id: int
    order_id: int
    title: str


@dataclass(frozen=True, slots=True)
class RefundRow:
    id: int
    order_id: int
    created_at: Seconds | None
    updated_at: Seconds
    total: Cents


@dataclass(frozen=True, slots=True)
class RefundLineRow:
    id: int
    refund_id: int
    order_id: int
    line_id: int
    quantity: int
    restock_type: str
    location_id: int | None
    subtotal: Cents
    tax: Cents


@dataclass(frozen=True, slots=True)
class OrderFamily:
    order: OrderRow
    lines: tuple[LineRow, ...] = ()
    applications: tuple[ApplicationRow, ...] = ()
    allocations: tuple[AllocationRow, ...] = ()
    shipping_lines: tuple[ShippingLineRow, ...] = ()
    refunds: tuple[RefundRow, ...] = ()
    refund_lines: tuple[RefundLineRow, ...] = ()


@dataclass(frozen=True, slots=True)
class EventRow:
    """Something that happened to a subject; `subject_type` as PRODUCT, `action` as destroy."""

    id: int
    action: str
    created_at: Seconds
    subject_id: int
    subject_type: str


@dataclass(frozen=True, slots=True)
class MetafieldRow:
    """`owner` as Shopify names owner types: CUSTOMER, PRODUCT_VARIANT."""

    id: int
    owner: str
    owner_id: int
    namespace: str
    key: str
    type: str
    value: str
    created_at: Seconds
    updated_at: Seconds


@dataclass(frozen=True, slots=True)
class CheckoutRow:
    """A checkout that was left; `completed_at` is set where the customer came back."""

    id: int
    name: str
    created_at: Seconds
    updated_at: Seconds
    completed_at: Seconds | None
    customer_id: int | None
    currency: str
    discount_codes: tuple[str, ...]
    note: str
    taxes_included: bool
    line_items_price: Cents
    discounts: Cents
    subtotal: Cents
    tax: Cents | None
    duties: Cents | None
    total: Cents


@dataclass(frozen=True, slots=True)
class CheckoutChange:
    """A change of the shop, as checkouts take part in it."""

    at: Seconds
    number: int
    orders: int


@dataclass(slots=True)
class History:
    """Everything that ever happened in the made-up shop, as it stands now. Families by id."""

    locations: dict[int, LocationRow] = field(default_factory=dict)
    products: dict[int, ProductFamily] = field(default_factory=dict)
    customers: dict[int, CustomerFamily] = field(default_factory=dict)
    orders: dict[int, OrderFamily] = field(default_factory=dict)
    events: list[EventRow] = field(default_factory=list)
    made_products: int = 0  # by changes, whether still there or not: an id is never used twice
    options: Options | None = None
    anchor: Seconds = 0
    checkout_changes: tuple[CheckoutChange, ...] = ()  # checkouts are made of them when they are asked for
    placed: dict[int, OrderFamily] = field(default_factory=dict)  # edited orders, as they stood before their first edit

    def variants(self) -> Iterator[VariantRow]:
        for family in self.products.values():
            yield from family.variants

    def copy(self) -> History:
        """A history that can be changed without changing this one: families are immutable values."""
        return History(
            dict(self.locations),
            dict(self.products),
            dict(self.customers),
            dict(self.orders),
            list(self.events),
            self.made_products,
            self.options,
            self.anchor,
            self.checkout_changes,
            dict(self.placed),
        )
