"""What the jobs of a run may use together, and what the host keeps free.

A job's limits count in full from before its volume is created until all of it is removed. The
trusted containers (one per job, one per run), and one that waits with packages imported, are not
jobs: they count against the host alone.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import product
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ControlUnavailable, DiskFull, HostBusy
from orchestrator.core.job import Limits
from orchestrator.core.outlook import WorkLeft
from orchestrator.core.units import rough_text, size_text
from orchestrator.policy.policy import RunLimits
from orchestrator.sandbox.machine_locks import MachineLocks
from orchestrator.sandbox.scheduler.line import Line
from orchestrator.sandbox.storage.helper import HELPER_MEMORY

_Sum = tuple[int, int, int]  # jobs, and the bytes of memory and of disk that they may use
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
    """Admits jobs while run and host have capacity for them; thread-safe. Who waits is served in the order
    of ``work_left``, see :mod:`orchestrator.sandbox.scheduler.order`; a job goes before another one only
    where that one begins no later for it.

    Without ``limits`` (a single job, outside a run) every job is admitted. ``free_memory`` and
    ``free_disk`` measure bytes on this machine. ``spare`` gives back what was made ahead of its job,
    and says whether there was any.
    """

    def __init__(
        self,
        limits: RunLimits | None = None,
        *,
        free_memory: Callable[[], int] = available_memory,
        free_disk: Callable[[Path], int] = available_disk,
        locks: MachineLocks | None = None,
        work_left: Callable[[], WorkLeft] = WorkLeft,
        spare: Callable[[], bool] = lambda: False,
    ) -> None:
        self._spare = spare
        self._limits, self._free_memory, self._free_disk = limits, free_memory, free_disk
        self._locks = locks or MachineLocks()
        self._held: list[_Hold] = []
        self._line = Line[_Hold](work_left)
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
        hold = (job, places)
        with self._turn:
            self._line.wait(
                self._turn, hold, lambda ahead: self._its_turn(hold, ahead), within, where
            )
            lacking = self._lacking((*self._held, hold), self._limits)
            if lacking is not None and self._spare():
                lacking = self._lacking((*self._held, hold), self._limits)
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

    def room_ahead(self, job: Limits, places: Mapping[Path, int], *, imports: bool = False) -> bool:
        """Whether the host's disks would keep their reserves if the run's jobs were all such as ``job``,
        with one more beside them, which waits: its volume may be reserved by then, and nothing runs in it.
        With ``imports`` packages are imported in it: then the host's memory would keep its reserve too.
        """
        if self._limits is None:
            return True
        with self._turn:
            more = max(0, self._limits.containers - len(self._held)) + 1
            holds = (*self._held, *[(job, places)] * more)
            lacks = self._lacking if imports else self._full
            return lacks(holds, self._limits) is None

    def _its_turn(self, hold: _Hold, ahead: list[_Hold]) -> bool:
        """Whether it fits and delays none that goes first, or there is no other job to wait for: of this
        run, or of another one of this user's.
        """
        run, others = self._limits, self._locks.reserved_by_others().jobs
        assert run is not None
        holds = (*self._held, hold)
        if not _fit(_sum(holds), run, others):
            return False
        if not self._held and not others and not ahead:
            return True
        if self._lacking((*holds, *ahead[:1]), run) is not None:
            return False
        return not _delays(hold, ahead, self._held, run, others)

    def _lacking(self, holds: Sequence[_Hold], run: RunLimits) -> HostBusy | DiskFull | None:
        """Why the host has too little capacity if each of these jobs uses all that it may; or None.

        What a running job has used already counts twice: a job may wait longer than necessary.
        """
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
        return self._full(holds, run)

    def _full(self, holds: Sequence[_Hold], run: RunLimits) -> DiskFull | None:
        """Why a disk has too little capacity if each of these jobs uses all that it may; or None."""
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


def _sum(holds: Iterable[_Hold]) -> _Sum:
    jobs = [job for job, _ in holds]
    return len(jobs), sum(job.memory for job in jobs), sum(job.workspace for job in jobs)


def _fit(held: _Sum, run: RunLimits, others: int) -> bool:
    jobs, memory, disk = held
    return jobs + others <= run.containers and memory <= run.memory and disk <= run.disk


def _delays(
    hold: _Hold, ahead: Iterable[_Hold], held: Iterable[_Hold], run: RunLimits, others: int
) -> bool:
    """Whether one that goes first would fit once some of the held jobs have ended, and would not beside
    ``hold``. A run's jobs have few sizes, so few sums can remain.
    """
    remain = {_sum([])}
    for one in held:
        remain |= {_plus(some, _sum([one])) for some in remain}
    firsts, own = {_sum([one]) for one in ahead}, _sum([hold])
    fitting = (
        both
        for both in (_plus(*pair) for pair in product(remain, firsts))
        if _fit(both, run, others)
    )
    return any(not _fit(_plus(both, own), run, others) for both in fitting)


def _plus(one: _Sum, other: _Sum) -> _Sum:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2]


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
