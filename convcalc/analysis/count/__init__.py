"""A graph's counts, call by call and in total: parameters, MACs, FLOPs, memory; their comparison and their limits."""
