"""How many injected errors the audit finds, and how much of what it says of papers is right."""
