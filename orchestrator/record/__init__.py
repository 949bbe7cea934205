"""The journal of a run, the files made from it, and the ports that record calls."""
