"""One function a question: from whatever names a network to an answer."""
