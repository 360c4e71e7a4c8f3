"""Analyses of a graph: its counts, its receptive fields, the sizes it takes. Answers are data; `views` prints them."""
