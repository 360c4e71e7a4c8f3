"""What the writers of sheets and of torch code share."""
