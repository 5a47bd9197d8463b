"""Does the paper agree with itself? Rules over the specs alone, without any results."""
