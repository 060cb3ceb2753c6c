"""A made-up Klaviyo account of the people and orders of the made-up shop."""
