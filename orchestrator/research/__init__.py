"""Research: from ideas to reviewed papers."""
