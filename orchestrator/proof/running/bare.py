"""The deliberately bare container, in which a probe must get through to prove anything.

It has the default settings of an engine, and what else the probe says it needs; in addition only
limits that protect this machine from a probe that goes wrong, far above what any probe asks for.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from orchestrator.core.errors import EngineFailed
from orchestrator.core.tree import Tree
from orchestrator.proof.observation import Observation
from orchestrator.proof.probe import Bare
from orchestrator.proof.running.fixtures import (
    DATA_SET,
    ENVIRONMENT,
    FAKE_SOCKET,
    KEY_NAME,
    ExposedServices,
)
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.gpus.cdi import every_gpu
from orchestrator.sandbox.job.packing import pack_tree
from orchestrator.sandbox.job.spec import DATA_FOLDERS, WORKDIR
from orchestrator.sandbox.resources import RunResources

_TIMEOUT = 150  # seconds
_RAILS: dict[str, Any] = {
    "NetworkMode": "none", "Memory": 4 << 30, "PidsLimit": 4096, "ShmSize": 1 << 30,
    "OomScoreAdj": 500,
    "Ulimits": [{"Name": "nofile", "Soft": 1024, "Hard": 1 << 14},
                {"Name": "core", "Soft": 16 << 20, "Hard": 16 << 20}],
    "LogConfig": {"Type": "json-file", "Config": {"max-size": "64m"}},
}  # fmt: skip
_UNCONFINED = ["seccomp=unconfined", "apparmor=unconfined"]
# What the probes ask for, and not ALL: an engine that runs in a container may
# lack others, and then gives none of them.
CAPABILITIES = (
    "SYS_ADMIN", "SYS_PTRACE", "SYS_CHROOT", "SYS_MODULE", "SYS_BOOT", "SYS_TIME", "SYS_RAWIO",
    "SYS_PACCT", "SYS_NICE", "SYSLOG", "DAC_READ_SEARCH", "NET_ADMIN", "NET_RAW", "MKNOD",
)  # fmt: skip
_RIGHTS: dict[str, Any] = {"CapAdd": list(CAPABILITIES), "SecurityOpt": _UNCONFINED}
_USERS: dict[Bare, str] = {"nobody": "65534:65534", "host processes": "65534:65534"}
_MODES: dict[Bare, dict[str, Any]] = {
    "rights": _RIGHTS,
    "world": _RIGHTS,
    "host network": {"NetworkMode": "host"},
    "host processes": {"PidMode": "host"},
    "host ipc": {"IpcMode": "host"},
}


class BareContainers:
    """Runs probes bare, on one engine; ``resources`` labels what is created, so that it is removed."""

    def __init__(
        self, engine: Engine, resources: RunResources, blobs: BlobStore, services: ExposedServices
    ) -> None:
        self._engine, self._resources = engine, resources
        self._blobs, self._services = blobs, services
        self._made = 0

    def run(
        self, image: str, mode: Bare, argv: Sequence[str], files: Tree, times: int = 1
    ) -> tuple[str, Observation]:
        """The output and the end of the last of ``times`` runs.

        An engine without such a container (one with all GPUs, say) leaves a probe unproved.
        """
        result = "", Observation()
        try:
            with self.made(image, mode, argv, files) as made:
                for _ in range(times):
                    since = time.time()
                    with translated("running a probe in a bare container"):
                        self._engine.api.start(made)
                        result = self._wait(made, since)
        except EngineFailed as error:
            return "", Observation(why=": ".join(filter(None, (error.what, error.why))))
        return result

    @contextmanager
    def made(self, image: str, mode: Bare, argv: Sequence[str], files: Tree) -> Iterator[str]:
        """A created container, not started, by its id; removed afterwards."""
        self._made += 1
        self._resources.sentinel.ensure()
        name = f"{self._resources.prefix}-bare-{self._made}"
        made = create_container(self._engine, self._body(image, mode, argv), name)
        try:
            self._copy_in(files, made, mode)
            yield made
        finally:
            remove_container(self._engine, made)

    def _wait(self, made: str, since: float) -> tuple[str, Observation]:
        code: int = self._engine.api.wait(made, timeout=_TIMEOUT)["StatusCode"]
        stdout = self._engine.api.logs(made, stdout=True, stderr=False, since=since)
        stderr = self._engine.api.logs(made, stdout=False, stderr=True, tail=20)
        why = "" if code == 0 else f"exit code {code}: {stderr.decode(errors='replace')[-300:]}"
        return stdout.decode(errors="replace"), Observation(done=code == 0, why=why)

    def _body(self, image: str, mode: Bare, argv: Sequence[str]) -> dict[str, Any]:
        variables = {**ENVIRONMENT, KEY_NAME: "".join(self._services.key)}
        binds = [f"{self._services.data}:{folder}/{DATA_SET}:rw" for folder in DATA_FOLDERS]
        own = self._services.own
        binds += [f"{own}:/host", f"{own}/{FAKE_SOCKET}:/var/run/docker.sock"]
        return {
            "Image": image,
            "User": _USERS.get(mode, "0:0"),
            "WorkingDir": WORKDIR,
            "Entrypoint": [],
            "Cmd": list(argv),
            "Env": [f"{name}={value}" for name, value in sorted(variables.items())],
            "Labels": self._resources.labels("bare", "bare", seconds=_TIMEOUT + 60),
            "HostConfig": {**_RAILS, **_MODES.get(mode, {}), **self._gpus(mode), "Binds": binds},
        }

    def _gpus(self, mode: Bare) -> dict[str, Any]:
        """All of the machine's GPUs, for a probe that counts them."""
        if mode != "all gpus":
            return {}
        with translated("asking the engine which GPUs it lends"):
            return {"DeviceRequests": every_gpu(self._engine.api.info())}

    def _copy_in(self, files: Tree, made: str, mode: Bare) -> None:
        """Copy to the working directory, whose folders the image may not have."""
        below = Tree.of({f"{WORKDIR[1:]}/{path}": sha256 for path, sha256 in files.files})
        uid, _, gid = _USERS.get(mode, "0:0").partition(":")
        with tempfile.TemporaryFile() as spool:
            pack_tree(below, self._blobs, (int(uid), int(gid)), spool)
            with translated("copying a probe into a bare container"):
                self._engine.api.put_archive(made, "/", spool)
