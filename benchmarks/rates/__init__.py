"""How often the rules of the judge are wrong, measured on numbers drawn from known truths."""
