"""Statistics, verdicts and claims: pure functions of numbers, without input or output."""
