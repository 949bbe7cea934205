"""What the jobs of a run may use together, and what the host keeps free.

A job's limits count in full from before its volume is created until all of it is removed. The
trusted containers (one per job, one per run) are not jobs: they count against the host alone.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline, wait_for
from orchestrator.core.errors import ControlUnavailable, DiskFull, HostBusy
from orchestrator.core.job import Limits
from orchestrator.core.units import rough_text, size_text
from orchestrator.policy.policy import RunLimits
from orchestrator.sandbox.machine_locks import MachineLocks
from orchestrator.sandbox.storage.helper import HELPER_MEMORY

_Hold = tuple[Limits, Mapping[Path, int]]  # a job's limits, and what it may add to which folder


def available_memory() -> int:
    """Bytes available without swapping; 0 where the kernel does not report it."""
    for line in Path("/proc/meminfo").read_text("ascii").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def total_memory() -> int:
    """Bytes of this machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def available_disk(folder: Path) -> int:
    """Bytes that an ordinary user may still write to the disk of ``folder``."""
    return shutil.disk_usage(folder).free


class Admission:
    """Admits jobs while run and host have capacity for them; thread-safe.

    Without ``limits`` (a single job, outside a run) every job is admitted. ``free_memory`` and
    ``free_disk`` measure bytes on this machine.
    """

    def __init__(
        self,
        limits: RunLimits | None = None,
        *,
        free_memory: Callable[[], int] = available_memory,
        free_disk: Callable[[Path], int] = available_disk,
        locks: MachineLocks | None = None,
    ) -> None:
        self._limits, self._free_memory, self._free_disk = limits, free_memory, free_disk
        self._locks = locks or MachineLocks()
        self._held: list[_Hold] = []
        self._turn = threading.Condition()

    @contextmanager
    def held(
        self, job: Limits, places: Mapping[Path, int], within: Deadline = FOREVER, where: str = ""
    ) -> Iterator[None]:
        """Wait until the run's other jobs leave room for ``job``, then hold what it may use.

        ``places`` are folders of this host and the bytes that the job may add to each.

        Raises :class:`ControlUnavailable` if the job's limits exceed the run's, :class:`HostBusy` or
        :class:`DiskFull` if too little would stay free, :class:`BudgetSpent` after ``within``.
        """
        if self._limits is None:
            yield
            return
        _check_ever(job, self._limits)
        with self._turn:
            hold = (job, places)
            wait_for(self._turn, lambda: self._its_turn(hold), within, where)
            lacking = self._lacking(hold, self._limits)
            if lacking is not None:
                raise lacking
            self._held.append(hold)
        try:
            with self._locks.reserved(job.memory + HELPER_MEMORY):
                yield
        finally:
            with self._turn:
                self._held.remove(hold)
                self._turn.notify_all()

    def _its_turn(self, hold: _Hold) -> bool:
        """Whether it fits, or there is no other job to wait for: of this run, or of another one of
        this user's.
        """
        run, jobs = self._limits, [job for job, _ in (*self._held, hold)]
        assert run is not None
        others = self._locks.reserved_by_others().jobs
        fits = (
            len(jobs) + others <= run.containers
            and sum(job.memory for job in jobs) <= run.memory
            and sum(job.workspace for job in jobs) <= run.disk
        )
        alone = not self._held and not others
        return fits and (alone or self._lacking(hold, run) is None)

    def _lacking(self, hold: _Hold, run: RunLimits) -> HostBusy | DiskFull | None:
        """Why the host has too little capacity if every job uses all that it may; or None.

        What a running job has used already counts twice: a job may wait longer than necessary.
        """
        holds = (*self._held, hold)
        free, kept = self._free_memory(), run.keep_free_memory
        # One keeper per job, and the run's maker of volumes.
        need = sum(job.memory + HELPER_MEMORY for job, _ in holds) + HELPER_MEMORY
        # What other runs of this user may use: of it, nothing may be promised twice.
        promised = self._locks.reserved_by_others().memory + need
        if free - need < kept or total_memory() - promised < kept:
            return HostBusy(
                f"a job and its helpers may use {size_text(need)} of memory, and the host keeps "
                f"{size_text(kept)} for itself",
                where="the policy's resources.memory and run.keep_free.memory",
                why=f"{rough_text(free)} are free now",
                todo="end other programs and `aisci resume`, or use a smaller policy",
            )
        needs: dict[int, tuple[Path, int]] = {}
        for asked, size in (place for _, places in holds for place in places.items()):
            folder, disk = _disk_of(asked)
            needs[disk] = (folder, needs.get(disk, (folder, 0))[1] + size)
        for folder, need in needs.values():
            free, kept = self._free_disk(folder), run.keep_free_disk
            if free - need < kept:
                return DiskFull(
                    f"a job may add {size_text(need)} to this disk, and the host keeps "
                    f"{size_text(kept)} for itself",
                    where=f"{folder}; the policy's storage.workspace, harvest.bytes and "
                    "run.keep_free.disk",
                    why=f"{rough_text(free)} are free now",
                    todo="free disk space and `aisci resume`, or use a smaller policy",
                )
        return None


def _check_ever(job: Limits, run: RunLimits) -> None:
    """Refuse what no waiting would solve; `aisci policy check` finds it too."""
    rows = (
        ("run.containers", 1, run.containers, str),
        ("run.memory", job.memory, run.memory, size_text),
        ("run.disk", job.workspace, run.disk, size_text),
    )
    for key, need, limit, text in rows:
        if need > limit:
            raise ControlUnavailable(
                f"one job alone is above {key}: {text(need)} of {text(limit)}",
                where="the policy's run block",
                todo="raise it, or lower the job's own limit",
            )


def _disk_of(folder: Path) -> tuple[Path, int]:
    """The device of ``folder``, or of its nearest existing parent: stores create theirs when used."""
    for path in (folder, *folder.absolute().parents):
        with suppress(OSError):
            return path, path.stat().st_dev
    raise AssertionError("the root folder always exists")
