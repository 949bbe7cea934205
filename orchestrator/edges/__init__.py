"""The edges: the only importers of the libraries that reach out of the process."""
