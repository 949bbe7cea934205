"""What a sentence of a paper says about results, and whether the record carries it."""
