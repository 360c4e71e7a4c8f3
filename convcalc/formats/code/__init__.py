"""What sheets and torch code share when they are written."""
