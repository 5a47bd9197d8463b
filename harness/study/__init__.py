"""The application: what can be asked of a project, as functions that return typed objects."""
