"""What the jobs of one run share: the sentinel, the maker of volumes, the chosen backend."""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator import AisciError, ControlUnavailable, EngineFailed
from orchestrator.edges.engine import Engine
from orchestrator.edges.labels import Owner, labels
from orchestrator.edges.objects import make_volume, remove_volume
from orchestrator.edges.reap import remove_leftovers
from orchestrator.edges.sentinel import Sentinel
from orchestrator.edges.storage import (
    Helper,
    Quota,
    bad_probe,
    check_fits,
    helper_body,
    keeper_body,
    loop_device,
    maker_body,
    volume_mount,
    volume_options,
)
from orchestrator.records import Limits, digest

_MOST_SOCKET = 108  # bytes of a unix socket's path, with the zero at its end
_PROBE = Quota(bytes=8 << 20, inodes=64, uid=65534, gid=65534)


@dataclass(slots=True)
class Depot:
    """One run's stock on the engine. ``image`` is the trusted helper's image id.

    Thread-safe: ideas that run side by side share it.
    """

    engine: Engine
    run_id: str
    image: Callable[[], str]
    owner: Owner = field(default_factory=Owner.me)
    _sentinel: Sentinel | None = None
    _maker: Helper | None = None
    _backend: str = ""
    _why_no_loop: str = ""
    _sockets: Path | None = None
    _lock: threading.RLock = field(default_factory=threading.RLock)

    @property
    def prefix(self) -> str:
        """How the run's containers and volumes are named; two runs never share a name."""
        return f"aisci-{digest(self.run_id)[:8]}"

    @property
    def sentinel(self) -> Sentinel:
        """The guard of this run, started at the first need."""
        with self._lock:
            if self._sentinel is None:
                self._sentinel = Sentinel(socket_of(self.engine), self.run_id)
            self._sentinel.ensure()
            return self._sentinel

    def labels(self, job: str, kind: str, *, seconds: float = 0.0) -> dict[str, str]:
        """Labels of one resource that may stay ``seconds`` (0: as long as the run)."""
        deadline = time.time() + seconds if seconds else 0.0
        return labels(self.run_id, self.owner, job=job, kind=kind, deadline=deadline)

    @contextmanager
    def volume(self, job: str, limits: Limits, quota: Quota) -> Iterator[tuple[str, Helper, str]]:
        """A mounted, empty, quota'd volume as (name, its keeper, the backend's name).

        Raises:
            ControlUnavailable: no backend holds a hard quota of this size here.
            DiskFull: the engine's disk has no room for it.
        """
        self.sentinel.ensure()
        backend = self._choose(limits)
        name = f"{self.prefix}-{job}"
        body = keeper_body(self.image(), name, self.labels(job, "keeper"))
        with self._mounted(job, backend, quota, body) as keeper:
            yield name, keeper, backend

    @contextmanager
    def _mounted(
        self, job: str, backend: str, quota: Quota, body: dict[str, Any]
    ) -> Iterator[Helper]:
        """A volume with its first container started; both are gone afterwards."""
        name = f"{self.prefix}-{job}"
        with ExitStack() as undo:
            with ExitStack() as until_mounted:
                device = ""
                if backend == "loop":
                    device = until_mounted.enter_context(loop_device(self._lent_maker(), quota))
                options = volume_options(backend, quota, device)
                remove_volume(self.engine, name)  # an engine would hand out an old one as new
                undo.callback(remove_volume, self.engine, name)
                make_volume(self.engine, name, self.labels(job, "volume"), options)
                script = "probe.py" if job == "probe" else "keeper.py"
                helper = Helper(self.engine, body, script=script, name=f"{name}-keeper")
                undo.callback(helper.remove)
                helper.start()  # mounts it; from now on the mount keeps the device alive
            yield helper

    def socket_path(self) -> Path:
        """A new place for a socket of the host's that one container is to see.

        The folder is in the system's own temporary one, because a socket's path is short.
        Others on this machine may enter it and not list it; no two names can be told ahead.
        It goes with the run, through the sentinel if this process cannot.

        Raises:
            ControlUnavailable: the system's temporary folder has too long a path.
        """
        with self._lock:
            if self._sockets is None:
                self._sockets = Path(tempfile.mkdtemp(prefix="aisci-"))
                self.sentinel.guard(self._sockets)
                self._sockets.chmod(0o711)
            path = self._sockets / secrets.token_hex(16)
        if len(os.fsencode(path)) >= _MOST_SOCKET:
            raise ControlUnavailable(
                "the policy asks for network: the path of the proxy's socket is too long",
                where=str(path),
                todo="set TMPDIR to a shorter path, such as /tmp",
            )
        return path

    def _lent_maker(self) -> Helper:
        with self._lock:
            if self._maker is None:
                name = f"{self.prefix}-maker"
                make_volume(self.engine, f"{name}-pool", self.labels("", "pool"))
                body = maker_body(self.image(), f"{name}-pool", self.labels("", "maker"))
                maker = Helper(self.engine, body, script="maker.py", name=name)
                maker.start()
                self._maker = maker
            return self._maker

    def _choose(self, limits: Limits) -> str:
        """``loop`` if its quota was seen to hold here, else ``tmpfs`` where that is honest."""
        with self._lock:
            if not self._backend:
                remove_leftovers(self.engine, self.run_id)
                try:
                    self.probe("loop")
                    self._backend = "loop"
                except (ControlUnavailable, EngineFailed) as error:
                    self._why_no_loop = str(error)
                    self.probe("tmpfs")
                    self._backend = "tmpfs"
        if self._backend == "tmpfs":
            check_fits(limits.workspace, limits.tmp, limits.shm, limits.memory)
        return self._backend

    def probe(self, backend: str) -> None:
        """Write past the quota of a small volume on ``backend``; the doctor asks it of each.

        Raises:
            SandboxFailed: the quota was set and did not hold.
            ControlUnavailable, EngineFailed: it could not even be set.
        """
        mount = volume_mount(f"{self.prefix}-probe", "/volume")
        body = helper_body(self.image(), self.labels("probe", "probe"), Mounts=[mount])
        body["User"] = f"{_PROBE.uid}:{_PROBE.gid}"
        with self._mounted("probe", backend, _PROBE, body) as prober:
            seen = prober.ask({"op": "probe", "bytes": _PROBE.bytes, "inodes": _PROBE.inodes})
        wrote, made = seen["wrote"], seen["made"]
        if wrote is None or wrote > _PROBE.bytes or made is None or made > 2 * _PROBE.inodes:
            raise bad_probe(f"{backend}: {wrote} bytes and {made} files went into {_PROBE}")

    def close(self) -> None:
        """Remove what the run shares, then let the sentinel look once more and end."""
        with self._lock:
            if self._maker is not None:
                with suppress(AisciError):  # the sentinel does it otherwise
                    self._maker.remove()
                    remove_volume(self.engine, f"{self.prefix}-maker-pool")
                self._maker = None
            if self._sockets is not None:
                shutil.rmtree(self._sockets, ignore_errors=True)  # the sentinel looks once more
                self._sockets = None
            if self._sentinel is not None:
                self._sentinel.close()
                self._sentinel = None


def socket_of(engine: Engine) -> str:
    """The path of the engine's unix socket.

    Raises:
        ControlUnavailable: the engine is reached another way, so it may be elsewhere.
    """
    adapter = getattr(engine.api, "_custom_adapter", None)
    path: str | None = getattr(adapter, "socket_path", None)
    if path is None:
        raise ControlUnavailable(
            "the engine is not reached through a unix socket",
            where="DOCKER_HOST",
            why="the host watches its containers and clears up after them on the same machine",
            todo="run aisci where the engine runs, with DOCKER_HOST=unix:///…",
        )
    return path
