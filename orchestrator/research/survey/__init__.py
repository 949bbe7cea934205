"""A survey: from a question to a paper about what others found, each sentence held to a sentence of an abstract."""
