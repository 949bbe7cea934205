"""The texts that are learned at each scale, and the seeds of each."""

SEEDS = {
    "full": {"shakespeare_char": (1337, 1338)},
    "short": {"shakespeare_char": (1337,)},
    "smoke": {"python_docs": (1337, 1338)},
}
