"""The sandbox on a Docker engine: one new, hardened container per job, and its harvest.

The steps of a job: a quota'd volume is mounted by a trusted keeper; the container is created and
its settings are read back; the tree is copied in; it starts behind a gate, and its rights are
read from the kernel; the gate opens, and the job is monitored to its end; the container is
removed; the keeper reads what it left, which is checked; everything is removed. The sentinel
does the last step if this process cannot.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.errors import ControlUnavailable
from orchestrator.core.job import Attestation, Job, JobResult, Limits
from orchestrator.core.progress import share_done
from orchestrator.core.tree import Tree
from orchestrator.record.attestation import SettingPairs
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import translated
from orchestrator.sandbox.engine.labels import DEADLINE
from orchestrator.sandbox.engine.objects import create_container, remove_container, while_it_runs
from orchestrator.sandbox.engine.resolver import resolver_of
from orchestrator.sandbox.engine.stream import STDOUT, LineBuffer, Stream
from orchestrator.sandbox.gpus.cdi import cdi_devices, how_lent
from orchestrator.sandbox.job import gvisor
from orchestrator.sandbox.job.cgroup import Cgroup, process_status
from orchestrator.sandbox.job.kernel_limits import kernel_limits_of
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.job.session import Session, job_interrupted
from orchestrator.sandbox.job.spec import WORKDIR, create_request, opens_gate, pack_tree, user_of
from orchestrator.sandbox.job.verify import (
    check_engine,
    check_kernel_view,
    check_workspace,
    read_back,
    workspace_of,
)
from orchestrator.sandbox.network.proxy import Proxy
from orchestrator.sandbox.resources import OnEvent, SandboxPool
from orchestrator.sandbox.storage.quota import Quota

# Seconds past a job's longest end after which the sentinel takes this process for hung.
_SLACK = 60.0
# Seconds that an editor's wall clock may stand still, as the sentinel assumes: four model calls.
_THINKING = 3 * 3600.0


class DockerSandbox:
    """Implements :class:`orchestrator.core.protocols.Sandbox` over ``pool``; also opens duplex jobs.

    The files that jobs leave go into ``blobs``. ``on_event`` is called with ``("started" | "sample"
    | "ended", facts)``; the facts of a sample are the limit of its seconds, the peaks, and the share
    of the run that the program reports as done, if it reports one.
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
            with ExitStack() as undo:
                yield self._start(job, within, undo, duplex=duplex)
        except KeyboardInterrupt as error:
            stopped = job_interrupted(job)
            stopped.why = "; ".join(getattr(error, "__notes__", ()))
            raise stopped from error
        self._on_event("ended", {"job": job.id, "scope": job.scope})

    def _start(self, job: Job, within: Deadline, undo: ExitStack, *, duplex: bool) -> Session:
        """Create, check and start the container; ``undo`` reverts each step."""
        pool, engine, limits = self.pool, self.pool.engine, job.limits
        info = check_engine(engine, limits)
        lease = undo.enter_context(pool.gpus.lease(limits, within, job.scope))
        volumes, harvested = Path(info["DockerRootDir"]), self._blobs.folder  # that a job may fill
        added = {volumes: limits.workspace, harvested: limits.harvest_bytes}
        undo.enter_context(pool.admission.held(limits, added, within, job.scope))
        image = pool.images(limits.image)
        uid, gid = user_of(limits)
        quota = Quota(bytes=limits.workspace, inodes=limits.inodes, uid=uid, gid=gid)
        volume, keeper, backend = undo.enter_context(
            pool.resources.volumes.lent(job.id, limits, quota)
        )
        wall = limits.wall + (_THINKING if job.kind == "editor" else 0)
        longest = min(wall, within.left) + limits.grace + _SLACK
        labels = pool.resources.labels(job.id, job.kind, seconds=longest)
        proxy = self._proxy(job, undo)
        data = tuple((name, pool.folders(source)) for name, source in job.data)
        body = create_request(
            replace(job, data=data), image=image, volume=volume, labels=labels, duplex=duplex, gpus=lease.uuids,
            cdi=cdi_devices(info) if lease.uuids else (), egress=str(proxy.path) if proxy else "",
        )  # fmt: skip
        name = f"{pool.resources.prefix}-{job.id}-job"
        undo.callback(remove_container, engine, name)
        made = create_container(engine, body, name)
        asked, inspected = read_back(engine, made, body)
        self._copy_in(job.files, made, (uid, gid))
        stream = Stream(engine, made)
        undo.callback(stream.close)
        lines = LineBuffer()
        with while_it_runs(engine, made):
            pid, seen = self._started(made, stream, limits, backend)
            monitor = Monitor(
                engine, made, pid=pid, stream=stream, limits=limits, keeper=keeper,
                gpus=lease.meter, lines=lines if duplex else None,
                on_sample=lambda peaks: self._on_event("sample", {
                    "job": job.id, "scope": job.scope, "limit": limits.wall, "peaks": peaks,
                    "share": share_done(monitor.tail(STDOUT)),
                }), within=within,
            )  # fmt: skip
        # Told before the first sample, which comes from the monitor's own thread.
        self._on_event("started", {"job": job.id, "scope": job.scope, "container": made[:12]})
        self._monitored(monitor, undo)
        within.check(job.scope)
        if proxy:
            proxy.begin()
        stream.send(opens_gate(job.argv))
        if not duplex:
            stream.close_stdin()
        attest = partial(
            Attestation, container=made, image=image, policy=pool.policy, runtime=limits.runtime,
            engine=f"docker {info['ServerVersion']}", kernel=str(info["KernelVersion"]),
            storage=backend, asked=asked, inspected=inspected, seen=seen, gpus=how_lent(body),
        )  # fmt: skip
        return Session(
            engine, self._blobs, job, made, monitor=monitor, stream=stream, keeper=keeper,
            lines=lines, proxy=proxy, deadline=float(labels[DEADLINE]), attest=attest,
        )  # fmt: skip

    def _started(
        self, made: str, stream: Stream, limits: Limits, backend: str
    ) -> tuple[int, SettingPairs]:
        """Start the container; return its first process, waiting at the gate, and the kernel's view.

        Raises :class:`SandboxFailed` if it has more rights, or other mounts, than requested.
        """
        with translated("starting a job"):
            self.pool.engine.api.start(made)
            have = self.pool.engine.api.inspect_container(made)
        pid: int = have["State"]["Pid"]
        seen = process_status(pid) + kernel_limits_of(pid, Cgroup.of(pid, made))
        seen += resolver_of(have.get("ResolvConfPath") or "")
        if limits.runtime == gvisor.RUNTIME:  # its first process is gVisor, which has no such mount
            seen += gvisor.read_gate_status(stream)
        else:
            seen += workspace_of(pid, WORKDIR)
        check_kernel_view(seen, limits)
        check_workspace(seen, backend)
        return pid, seen

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

    def _copy_in(self, files: Tree, made: str, owner: tuple[int, int]) -> None:
        """Before the start, so that nothing of the job's can interfere with the engine's unpacking."""
        with tempfile.TemporaryFile() as spool:
            pack_tree(files, self._blobs, owner, spool)
            with translated("copying a job's files in"):
                self.pool.engine.api.put_archive(made, WORKDIR, spool)

    def _monitored(self, monitor: Monitor, undo: ExitStack) -> None:
        self.pool.running.add(monitor)
        undo.callback(self.pool.running.discard, monitor)
        undo.callback(monitor.end)  # before its container is removed, whatever happened meanwhile
        monitor.start()
        if self.pool.stopped.is_set():
            monitor.interrupt()
