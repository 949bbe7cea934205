"""The texts that are learned at each scale, and the seeds of each."""

SEEDS = {
    "full": {"shakespeare_char": (1337, 1338, 1339), "enwik8": (1337,), "text8": (1337,)},
    "short": {"shakespeare_char": (1337,), "enwik8": (1337,), "text8": (1337,)},
    "smoke": {"python_docs": (1337, 1338, 1339)},
}
