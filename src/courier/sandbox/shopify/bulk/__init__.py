"""Bulk operations: one query over everything, answered with a file of JSON lines."""
