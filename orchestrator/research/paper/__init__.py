"""The text of a paper: LaTeX, numbers, tables and references."""
