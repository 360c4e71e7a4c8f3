"""Floor 0: numbers, symbols, formulas and receptive-field intervals. Knows no layer."""
