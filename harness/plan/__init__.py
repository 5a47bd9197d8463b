"""Specs and a profile become cells, and cells become a graph of steps with identities and costs."""
