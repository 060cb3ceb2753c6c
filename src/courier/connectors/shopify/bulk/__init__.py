"""Bulk operations: Shopify writes one file with everything that a query matches, and we fetch the file."""
