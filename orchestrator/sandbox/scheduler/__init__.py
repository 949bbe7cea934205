"""Which of the waiting jobs is next."""
