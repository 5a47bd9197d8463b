"""A paper as data, and a machine that says which of its numbers come back."""
