"""A Docker engine of a test's own, which that test may kill: the machine's own serves others.

It has its own folder for everything, its own containerd (which ends when it ends), its own network
(an engine that is told to have no bridge deletes ``docker0``, whosever that is), and its containers'
cgroups stand below a parent of their own. Its one image, the trusted helper's, is taken over from
the machine's engine.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from orchestrator.core.errors import AisciError
from orchestrator.sandbox.engine.client import Engine, connect, translated
from tests.support.leftovers import CGROUPS, mounts_below, processes_with, settled

IMAGE = "aisci-storage:latest"
_UP, _DOWN = 90.0, 60.0  # seconds: to answer, to end


class PrivateEngine:
    """One dockerd; ``environ`` leads programs to it. Killed and started as often as one likes.

    ``names`` is what it finds in the host's ``/etc/resolv.conf``, if not what there is.
    """

    def __init__(self, names: str = "") -> None:
        # Not a test's own folder: a unix socket's path has room for about a hundred bytes.
        self.folder = Path(tempfile.mkdtemp(prefix="dockerd-", dir="/tmp"))
        self.cgroup = self.folder.name
        self._names = names
        self._socket = f"unix://{self.folder}/engine.sock"
        self.environ = {"DOCKER_HOST": self._socket}
        self.client = Engine(base_url=self._socket, timeout=60, version="1.41")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        argv = ["unshare", "--net", "dockerd", "--data-root", f"{self.folder}/data"]
        if self._names:
            own = self.folder / "resolv.conf"
            own.write_text(self._names)
            mounts = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
            argv[1:2] = ["--net", "--mount", "sh", "-c", mounts, str(own)]
        argv += ["--exec-root", f"{self.folder}/exec", "--pidfile", f"{self.folder}/pid"]
        argv += ["-H", self._socket, "--cgroup-parent", f"/{self.cgroup}"]
        argv += ["--bridge=none", "--iptables=false", "--ip6tables=false"]
        self._forget_pids()
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                argv,
                env=os.environ | {"TMPDIR": str(self.folder)},  # for a slow containerd's stacks
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        until = time.monotonic() + _UP
        while not self._answers():
            assert self._process.poll() is None, self.words()
            assert time.monotonic() < until, self.words()
            time.sleep(0.1)

    def kill(self) -> None:
        """SIGKILL, at once; its containers run on, as they do when an engine crashes."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        assert settled(self._containerds, _DOWN) == (), "containerd outlived its dockerd"

    def close(self) -> None:
        """End it in order, then whatever of it still runs or is mounted; remove its folder.

        That nothing is left is what tests look at before; here the machine is cleared anyway.
        """
        self.client.close()
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_DOWN)
        for pid in {*self._contained(), *processes_with(str(self.folder))}:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert settled(lambda: [str(pid) for pid in processes_with(str(self.folder))], _DOWN) == ()
        for point in sorted(mounts_below(self.folder), reverse=True):
            subprocess.run(["umount", point], check=True)
        shutil.rmtree(self.folder)
        for path in sorted({path.resolve() for path in self._cgroups()}, reverse=True):
            path.rmdir()

    def _cgroups(self) -> Iterator[Path]:
        """The folders of its parent cgroup, and of what is below."""
        for top in (*CGROUPS.glob(f"*/{self.cgroup}"), *CGROUPS.glob(self.cgroup)):
            yield from (top, *(path for path in top.rglob("*") if path.is_dir()))

    def _contained(self) -> set[int]:
        """All processes in its containers."""
        lists = [path / "cgroup.procs" for path in self._cgroups()]
        return {int(line) for path in lists for line in path.read_text().split()}

    def runs(self, command: str) -> bool:
        """Whether the command line is that of one of its containers' runtimes."""
        return str(self.folder) in command

    def words(self) -> str:
        """The end of its log."""
        return (self.folder / "log").read_text(errors="replace")[-3000:]

    def take_over(self, image: str) -> None:
        """Load ``image`` from the machine's engine."""
        machine = connect()
        try:
            with tempfile.TemporaryFile() as spool:
                for piece in machine.images.get(image).save(named=True):
                    spool.write(piece)
                spool.seek(0)
                self.client.images.load(spool)
        finally:
            machine.close()

    def _forget_pids(self) -> None:
        """Of a dockerd and containerd that were killed: their numbers may be zombies', or others'."""
        for name in ("pid", "exec/containerd/containerd.pid"):
            (self.folder / name).unlink(missing_ok=True)

    def _answers(self) -> bool:
        with suppress(OSError), socket.socket(socket.AF_UNIX) as door:
            door.connect(self._socket.removeprefix("unix://"))  # else the library leaks its own
            with suppress(AisciError), translated("starting"):
                return bool(self.client.ping())
        return False

    def _containerds(self) -> list[str]:
        config = f"{self.folder}/exec/containerd/containerd.toml"
        return [str(pid) for pid in processes_with(config)]


@contextmanager
def private_engine(names: str = "") -> Iterator[PrivateEngine]:
    """Started, with its one image; gone without a trace afterwards."""
    engine = PrivateEngine(names)
    try:
        engine.start()
        engine.take_over(IMAGE)
        yield engine
    finally:
        engine.close()
