"""BibTeX: entries read strictly or as people write them, and entries written from records."""
