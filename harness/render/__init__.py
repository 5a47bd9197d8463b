"""Tables, figures, documents and reports: immutable models, and pure functions that render them."""
