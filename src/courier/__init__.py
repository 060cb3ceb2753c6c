"""Courier: declarative couriers that pull SaaS data into typed, tagged DuckDB domain tables."""

__version__ = "0.1.0"
