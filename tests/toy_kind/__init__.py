"""A kind of exhibit and an executor that the harness has not, which touch no file of it."""
