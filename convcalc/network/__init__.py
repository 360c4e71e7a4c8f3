"""Floor 2: how layers form a network: symbolic tensors, modules, the tape that records calls, and the graph."""
