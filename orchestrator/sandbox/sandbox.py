"""The sandbox on a Docker engine: one new, hardened container per job, and its harvest.

The steps of a job: a quota'd volume is mounted by a trusted keeper; the container is created, its
settings are read back, and it starts behind a gate (all this may be done before the job is known);
the tree is copied in; settings and rights are read, from the engine and from the kernel; the gate
opens, and the job is monitored to its end; the container is removed; the keeper reads what it left,
which is checked; everything is removed. The sentinel does the last step if this process cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.job import Attestation, Job, JobResult
from orchestrator.core.progress import LOOK_BACK, share_done
from orchestrator.core.stopwatch import utc_now
from orchestrator.record.attestation import SettingPairs
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.objects import while_it_runs
from orchestrator.sandbox.engine.stream import STDOUT, LineBuffer
from orchestrator.sandbox.gpus.cdi import how_lent
from orchestrator.sandbox.job.gate_view import gate_view
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.job.session import Session, job_interrupted
from orchestrator.sandbox.job.slot import Shape, Slot
from orchestrator.sandbox.job.verify import ReadBack, check_engine
from orchestrator.sandbox.network.proxy import Proxy
from orchestrator.sandbox.resources import OnEvent, SandboxPool

# Seconds that a container made ahead of its job may wait for it.
_AHEAD = 900.0
_NUMBERS = count(1)


class _Undo(NamedTuple):
    """What reverts the steps of a job, in this order; the second may be in the background."""

    front: ExitStack
    behind: ExitStack
    lent: ExitStack


class DockerSandbox:
    """Implements :class:`orchestrator.core.protocols.Sandbox` over ``pool``; also opens duplex jobs.

    The files that jobs leave go into ``blobs``. ``on_event`` is called with ``("waiting" | "started"
    | "sample" | "ended", facts)``: a job waits for room and a GPU, its program starts (with the seconds
    that the run has left, if that is known), runs, has ended. The facts of a sample are the limit of
    its seconds, the peaks, the share of the run that the program reports as done, if it does, and the end of its output.
    """

    def __init__(
        self, pool: SandboxPool, blobs: BlobStore, on_event: OnEvent | None = None
    ) -> None:
        self.pool, self._blobs = pool, blobs
        self._on_event = on_event or pool.on_event

    def run(self, job: Job, within: Deadline = FOREVER) -> JobResult:
        """Run ``job`` to its end. See :class:`orchestrator.core.protocols.Sandbox`.

        Raises:
            Interrupted: Ctrl-C, or :meth:`SandboxPool.stop`; the container is removed by then.
            DiskFull, HostBusy: the host would have less free than the policy keeps for it.
            BudgetSpent: ``within`` was over before it ended; TERM, grace, KILL, as for any limit.
        """
        with self.open(job, within, duplex=False) as session:
            session.wait()
            return session.finish()

    @contextmanager
    def open(
        self, job: Job, within: Deadline = FOREVER, *, duplex: bool = True
    ) -> Iterator[Session]:
        """Run ``job``; if ``duplex``, its stdin and stdout are the caller's, line by line."""
        try:
            with ExitStack() as lent, ExitStack() as behind:
                with ExitStack() as front:
                    yield self._start(job, within, _Undo(front, behind, lent), duplex=duplex)
                # The container has ended: what it was made of goes, and no GPU waits for that.
                self._later(behind.pop_all().close)
                if self.pool.ahead is not None:
                    self._later(partial(self.pool.ahead.improve, self._begin))
        except KeyboardInterrupt as error:
            stopped = job_interrupted(job)
            stopped.why = "; ".join(getattr(error, "__notes__", ()))
            raise stopped from error
        self._on_event("ended", {"job": job.id, "scope": job.scope})

    def _start(self, job: Job, within: Deadline, undo: _Undo, *, duplex: bool) -> Session:
        """A container for ``job``, checked and started; ``undo`` reverts each step."""
        pool, engine, limits = self.pool, self.pool.engine, job.limits
        self._on_event("waiting", {"job": job.id, "scope": job.scope})
        info = check_engine(engine, limits)
        lease = undo.lent.enter_context(pool.gpus.lease(limits, within, job.scope))
        volumes, harvested = Path(info["DockerRootDir"]), self._blobs.folder  # that a job may fill
        added = {volumes: limits.workspace, harvested: limits.harvest_bytes}
        undo.behind.enter_context(pool.admission.held(limits, added, within, job.scope))
        shape = self._shape(job, duplex=duplex)
        slot = self._slot(shape, job.id, within)
        undo.behind.callback(slot.close)
        proxy = self._proxy(job, undo.front)
        if not slot.container:
            slot.hold(info, lease.uuids, str(proxy.path) if proxy else "")
        slot.fill(job.files, self._blobs)
        lines = LineBuffer()
        with while_it_runs(engine, slot.container):
            back = slot.read_back()
            seen = gate_view(slot, back)
            monitor = Monitor(
                engine, slot.container, pid=back.pid, stream=slot.stream, limits=limits,
                keeper=slot.keeper, gpus=lease.meter, lines=lines if duplex else None,
                on_sample=lambda peaks: self._on_event("sample", {
                    "job": job.id, "scope": job.scope, "limit": limits.wall, "peaks": peaks,
                    "share": share_done(tail := monitor.tail(STDOUT)),
                    "tail": "" if duplex else tail[-LOOK_BACK:], "printed": monitor.printed(STDOUT),
                }), within=within,
            )  # fmt: skip
        # Told before the first sample, which comes from the monitor's own thread.
        self._on_event("started", {
            "job": job.id, "scope": job.scope, "container": slot.container[:12],
            "left": pool.outlook.time_left(), "gpus": tuple(lease.uuids),
        })  # fmt: skip
        self._monitored(monitor, undo.front)
        within.check(job.scope)
        if proxy:
            proxy.begin()
        slot.open_gate(job)
        if not duplex:
            slot.stream.close_stdin()
        self._want(shape, added, info)
        return Session(
            engine, self._blobs, job, slot.container, monitor=monitor, stream=slot.stream,
            keeper=slot.keeper, lines=lines, proxy=proxy, deadline=slot.deadline,
            attest=self._attest(slot, info, back, seen),
        )  # fmt: skip

    def _shape(self, job: Job, *, duplex: bool) -> Shape:
        data = tuple((name, self.pool.folders(source)) for name, source in job.data)
        return Shape.of(job, image=self.pool.images(job.limits.image), data=data, duplex=duplex)

    def _attest(
        self, slot: Slot, info: dict[str, Any], back: ReadBack, seen: SettingPairs
    ) -> Callable[..., Attestation]:
        """What is known of a container before its program starts; its end completes it."""
        return partial(
            Attestation, container=slot.container, image=slot.shape.image, policy=self.pool.policy,
            runtime=slot.shape.limits.runtime, engine=f"docker {info['ServerVersion']}",
            kernel=str(info["KernelVersion"]), storage=slot.backend, asked=back.asked,
            inspected=back.inspected, seen=seen, gpus=how_lent(slot.body), began=utc_now(),
        )  # fmt: skip

    def _later(self, remove: Callable[[], None]) -> None:
        if self.pool.ahead is None:
            remove()
        else:
            self.pool.ahead.later(remove)

    def _slot(self, shape: Shape, name: str, within: Deadline) -> Slot:
        """One that was made ahead, if it waits and may exist for long enough; else a new one."""
        pool, longest = self.pool, shape.longest(within)
        if pool.ahead is not None:
            pool.ahead.check()
            made: Slot | None = pool.ahead.take(shape)
            if made is not None:
                with ExitStack() as unused:
                    unused.callback(pool.ahead.later, made.close)
                    if made.ready(longest):
                        unused.pop_all()
                        return made
        return Slot(pool.engine, pool.resources, shape, name, seconds=longest)

    def _want(self, shape: Shape, added: Mapping[Path, int], info: dict[str, Any]) -> None:
        """Have the next container of this shape made, while this one runs.

        Of a job with a GPU or a proxy only the volume: neither is held while nothing runs.
        """
        ahead, limits = self.pool.ahead, shape.limits
        if ahead is None or self.pool.stopped.is_set():
            return
        if shape.kind == "editor":  # a rehearsal's input is empty, an edit's is not
            shape = replace(shape, duplex=True)
        room = self.pool.admission.room_ahead
        if not room(limits, added):
            return
        loads = room(limits, added, imports=True)
        seconds = shape.longest() + _AHEAD
        name = f"ahead{next(_NUMBERS)}"

        def make() -> Slot:
            slot = Slot(self.pool.engine, self.pool.resources, shape, name, seconds=seconds)
            if limits.gpus or limits.network:
                return slot
            try:
                slot.hold(info)
                slot.loads_ahead = loads
                if shape.kind == "editor" or not self.pool.running:
                    self._begin(slot)
            except BaseException:
                slot.close()
                raise
            return slot

        ahead.want(shape, make)

    def _begin(self, slot: Slot) -> None:
        """What may begin in a container that waits, once its settings and rights are as requested. Imports do
        when a job has ended: while one runs, the processors are its own. An editor's worker needs a second.
        """
        if slot.loads_ahead and slot.may_begin:
            with while_it_runs(self.pool.engine, slot.container):
                gate_view(slot, slot.read_back())
            slot.begin()

    def _proxy(self, job: Job, undo: ExitStack) -> Proxy | None:
        """The job's only network access, if its policy has an allow-list.

        Raises :class:`ControlUnavailable` if it is not an experiment; no other kind gets network.
        """
        hosts = job.limits.network
        if not hosts:
            return None
        if job.kind != "experiment":
            raise ControlUnavailable(
                f"a job of the kind {job.kind} cannot be given an allow-list",
                where="the policy's network",
                todo="write `network: none`",
            )
        return undo.enter_context(Proxy(hosts, self.pool.resources.socket_path(), self.pool.dialer))

    def _monitored(self, monitor: Monitor, undo: ExitStack) -> None:
        self.pool.running.add(monitor)
        undo.callback(self.pool.running.discard, monitor)
        undo.callback(monitor.end)  # before its container is removed, whatever happened meanwhile
        monitor.start()
        if self.pool.stopped.is_set():
            monitor.interrupt()
