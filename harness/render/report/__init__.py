"""The report: a static site about one paper under one profile."""
