"""Access scopes: what the app may read, and which fields that takes away."""

from __future__ import annotations

from collections.abc import Collection

EVERYTHING = (
    "read_all_orders",
    "read_customers",
    "read_fulfillments",
    "read_inventory",
    "read_locations",
    "read_orders",
    "read_products",
    "read_publications",
    "read_users",
)
GRANTED = tuple(scope for scope in EVERYTHING if scope != "read_users")
_LOCATION = ("read_locations", "read_inventory", "read_markets_home")
_SERVICE = ("read_fulfillments", "read_products", "read_custom_fulfillment_services")
# (type, field) -> the scopes of which any one is enough
_NEEDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("QueryRoot", "abandonedCheckouts"): ("read_orders",),
    ("QueryRoot", "abandonedCheckoutsCount"): ("read_orders",),
    ("QueryRoot", "customers"): ("read_customers",),
    ("QueryRoot", "customersCount"): ("read_customers",),
    ("QueryRoot", "customer"): ("read_customers",),
    ("QueryRoot", "orders"): ("read_orders",),
    ("QueryRoot", "ordersCount"): ("read_orders",),
    ("QueryRoot", "order"): ("read_orders",),
    ("QueryRoot", "refund"): ("read_orders",),
    ("QueryRoot", "products"): ("read_products",),
    ("QueryRoot", "productsCount"): ("read_products",),
    ("QueryRoot", "productVariants"): ("read_products",),
    ("QueryRoot", "productVariantsCount"): ("read_products",),
    ("QueryRoot", "locations"): ("read_locations",),
    ("AbandonedCheckout", "customer"): ("read_customers",),
    ("Customer", "lastOrder"): ("read_orders",),
    ("Order", "customer"): ("read_customers",),
    ("Order", "retailLocation"): _LOCATION,
    ("Order", "staffMember"): ("read_users",),
    ("LineItem", "product"): ("read_products",),
    ("LineItem", "variant"): ("read_products",),
    ("LineItem", "fulfillmentService"): _SERVICE,
    ("ProductVariant", "inventoryItem"): ("read_products", "read_inventory"),
    ("Product", "resourcePublicationsV2"): ("read_publications",),
    ("RefundLineItem", "location"): _LOCATION,
}
# Personal data that a shop's plan may keep from an app, though the scope is granted.
_PROTECTED = frozenset(
    {
        ("Customer", "firstName"),
        ("Customer", "lastName"),
        ("Customer", "defaultEmailAddress"),
        ("Customer", "defaultPhoneNumber"),
        ("MailingAddress", "address1"),
        ("MailingAddress", "address2"),
        ("MailingAddress", "firstName"),
        ("MailingAddress", "lastName"),
        ("MailingAddress", "phone"),
        ("MailingAddress", "zip"),
        ("Order", "email"),
        ("Order", "phone"),
    }
)


def denied(scopes: Collection[str], type_name: str, field: str, protected: bool = False) -> str | None:
    """Why the field may not be read, in Shopify's words; None if it may."""
    needs = _NEEDS.get((type_name, field))
    if needs is not None and not any(scope in scopes for scope in needs):
        access = " or ".join(f"`{scope}` access scope" for scope in needs)
        return f"Access denied for {field} field. Required access: {access}."
    if protected and (type_name, field) in _PROTECTED:
        return f"This app is not approved to use the {field} field. Required access: protected customer data approval."
    return None
