"""How often the decision rule is wrong, measured on numbers drawn from known truths."""
