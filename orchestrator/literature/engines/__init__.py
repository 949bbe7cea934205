"""The engines: one edge over HTTP, a limiter per machine, and the format of each service."""
