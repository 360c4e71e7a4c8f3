"""Arithmetic that knows no layers: numbers and symbols, formulas, claims, sets of sizes, intervals."""
