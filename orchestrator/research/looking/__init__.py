"""What the host computes from finished runs, so that whoever plans, edits and writes can look at it."""
