"""A graph's numbers, call by call and in total."""
