"""What every test shares: its marker, and a seed that is the commit's.

Samples so differ from commit to commit, and repeat within one. docs/testing.md explains both.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import settings

from orchestrator.core import machine_folder
from orchestrator.core.machine_folder import MachineFolder
from orchestrator.models import circuit_breaker
from tests.support import beside, guard
from tests.support.fewer import fewer, named
from tests.support.recorded import quick_run
from tests.support.sample import commit, examples

__all__ = ["quick_run"]  # a fixture for all tests

# Machines that run tests are noisy: a slow example says nothing.
settings.register_profile("aisci", deadline=None, max_examples=examples(50))
settings.load_profile("aisci")

OTHER_THAN_UNIT = ("program", "engine", "serial", "campaign", "gpu")


def pytest_configure(config: pytest.Config) -> None:
    """Seed hypothesis by the commit unless a seed was given; let Ctrl-C be what it is.

    A shell starts what runs in the background with Ctrl-C ignored, and programs hand that on.
    """
    guard.install()
    # A worker's jobs do not wait for those of the workers beside it; GPUs and memory are scripted.
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="aisci-tests-cache-")
    config.add_cleanup(lambda: shutil.rmtree(os.environ["XDG_CACHE_HOME"], ignore_errors=True))
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if config.getoption("hypothesis_seed", None) is None:
        config.option.hypothesis_seed = int.from_bytes(commit().encode()[:8], "big")


@pytest.fixture(autouse=True)
def _closed_breakers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A vendor's server that another test found busy or down is asked as if for the first time."""
    monkeypatch.setattr(circuit_breaker, "_BREAKERS", {})


@pytest.fixture(autouse=True)
def _no_ceiling(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ceiling of the machine that runs the tests changes none of them."""
    nowhere = MachineFolder(Path("/nowhere/aisci"))
    monkeypatch.setattr(machine_folder, "MACHINE", nowhere)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What has no other marker is ``unit``; what hypothesis chooses for is a sample, and so is a test
    with many cases that each take a container or a program. So no marker can be forgotten.
    """
    for item in items:
        if not any(item.get_closest_marker(name) for name in OTHER_THAN_UNIT):
            item.add_marker("unit")
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker("sampled")
    # A case that somebody names is run, whatever the commit chooses.
    if not any(named(word) for word in config.args):
        left_out = set(fewer(items))
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=[*left_out])
    items.sort(key=beside.early)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> beside.Files:
    """In place of those that ``--dist`` chooses from."""
    return beside.Files(config, log)


@contextmanager
def guarded(item: pytest.Item) -> Iterator[None]:
    """While a unit test runs, with its fixtures, nothing starts a program or calls the engine.

    Not while fixtures are taken down: those of the file may be other tests'.
    """
    if item.get_closest_marker("unit"):
        guard.guard(item.nodeid)
    try:
        yield
    finally:
        guard.release()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, object, object]:
    with guarded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    with guarded(item):
        return (yield)


@pytest.fixture
def sample() -> random.Random:
    """A generator seeded by the commit: every commit tries other samples, each repeatably."""
    return random.Random(commit())
