"""What every test shares: a seed that is the commit's, so that samples differ but repeat."""

from __future__ import annotations

import random
import signal
import subprocess

import pytest
from hypothesis import settings

from tests.support.places import ROOT

# Machines that run tests are noisy: a slow example says nothing.
settings.register_profile("aisci", deadline=None)
settings.load_profile("aisci")


def commit() -> str:
    """The checked-out commit, or a fixed word outside a checkout."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "no commit"


def pytest_configure(config: pytest.Config) -> None:
    """Seed hypothesis by the commit unless a seed was given; let Ctrl-C be what it is.

    A shell starts what runs in the background with Ctrl-C ignored, and programs hand that on.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = int.from_bytes(commit().encode()[:8], "big")


@pytest.fixture
def sample() -> random.Random:
    """A generator seeded by the commit: every commit tries other samples, each repeatably."""
    return random.Random(commit())
