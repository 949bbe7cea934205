"""Literature: a local library of papers, searched by words."""
