"""One function for each question, in a file each: from whatever names a network to an answer that prints itself."""
