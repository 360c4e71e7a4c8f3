"""One function for each question, one file each: from whatever names a network to an answer that prints itself."""
