"""A made-up BigCommerce store: the history's people, products and orders as the V2 and V3 REST APIs tell them."""
