"""Small projects for tests, written into a folder."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
FILES = {
    "courier_groups.yaml": "shopify:\n  couriers:\n    shopify:\n",
    "semantic_tags.yaml": "ck: {}\nemail: { type: string, pii: true }\nfk-*: {}\n",
    "couriers/shopify.yaml": """\
connector: shopify
api_version: 2026-10
credential:
  store: ${SHOPIFY_STORE}
  access_token: ${SHOPIFY_ACCESS_TOKEN}
feeds:
  customer:
  customer_tags: { every: 2d, error_limit: 0.5% }
""",
    "domain_tables/shopify/customer.yaml": """\
rows: Customer
primary_key: [id]
last_updated: updated_at
columns:
  id: { from: legacyResourceId, type: integer, tags: [ck] }
  email: { from: defaultEmailAddress.emailAddress, tags: [email] }
  updated_at: datetime
""",
    "domain_tables/shopify/customer_tags.yaml": """\
rows: Customer.tags[]
primary_key: [customer_id, value]
parent: customer
columns:
  customer_id: { from: parent.legacyResourceId, type: integer, tags: [fk-customer-id] }
  value: { from: $value, type: string }
""",
}


def write_project(root: Path, files: dict[str, str | bytes] | None = None) -> Path:
    """The small project, with `files` in place of, or beside, its own."""
    for name, text in {**FILES, **(files or {})}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root
