"""Figures: what they show, and how that is drawn and written."""
