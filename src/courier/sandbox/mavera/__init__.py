"""A made-up Mavera account, in the shapes of its published API reference.

Every module says what of it is documented, what a vendor's integration page alone shows, and what is inferred where no
public page says anything. Nothing here was compared with the live API.
"""
