"""Lists of papers on this machine: a template's, and one's own."""
