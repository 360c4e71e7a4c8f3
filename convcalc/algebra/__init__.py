"""Numbers, letters, formulas and intervals."""
