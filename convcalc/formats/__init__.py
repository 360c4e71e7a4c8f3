"""The languages that networks are written in, one room for each: text to graph, and graph to text. No analysis."""
