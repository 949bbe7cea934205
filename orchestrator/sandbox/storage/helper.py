"""The trusted containers that create, mount and read volumes, and their JSON lines."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.core.errors import EngineFailed
from orchestrator.sandbox.engine.client import Engine, translated
from orchestrator.sandbox.engine.objects import create_container, remove_container
from orchestrator.sandbox.engine.resolver import NO_NAMES
from orchestrator.sandbox.engine.stream import STDOUT, Stream

ATTACHED = dict.fromkeys(
    ("OpenStdin", "StdinOnce", "AttachStdin", "AttachStdout", "AttachStderr"), True
)
"""Of a create request: the host writes the container's stdin once, and reads what it says."""

HELPER_CPUS = 2  # processors: mkfs and a harvest use one, and its answers another
HELPER_MEMORY = 512 << 20  # bytes: the most that one trusted container may use
_ANSWER_WITHIN = 60.0  # seconds


class Helper:
    """A trusted container that answers JSON lines; :meth:`start` starts it."""

    def __init__(self, engine: Engine, body: Mapping[str, Any], *, script: str, name: str) -> None:
        self._engine = engine
        program = {"Entrypoint": ["python3"], "Cmd": ["-I", f"/opt/aisci/storage/{script}"]}
        self.id = create_container(engine, {**body, **program, **ATTACHED}, name)
        self._stream = Stream(engine, self.id)
        self._line = b""
        self._stderr = b""
        self._lock = threading.Lock()

    def start(self) -> None:
        with translated("starting a trusted container"):
            self._engine.api.start(self.id)

    def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send one request, return its answer. Raises :class:`EngineFailed` if the helper has ended."""
        with self._lock:
            self._send(request)
            while b"\n" not in self._line:
                self._line += self._output()
            line, _, self._line = self._line.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def stream(self, request: Mapping[str, Any]) -> Iterator[bytes]:
        """Send one request, then yield all that the helper writes up to its end."""
        self._send(request)
        while not self._stream.ended:
            yield self._output(may_end=True)

    def remove(self) -> None:
        """Kill and remove it; no error if it does not exist."""
        try:  # the stream last: without it the program ends by itself while the engine kills it
            remove_container(self._engine, self.id)
        finally:
            self._stream.close()

    def _send(self, request: Mapping[str, Any]) -> None:
        try:
            self._stream.send(json.dumps(request).encode() + b"\n")
        except BrokenPipeError as error:
            raise self._failed() from error

    def _output(self, *, may_end: bool = False) -> bytes:
        pieces = self._stream.read(_ANSWER_WITHIN)
        if not pieces and not (may_end and self._stream.ended):
            raise self._failed()
        self._stderr += b"".join(data for which, data in pieces if which != STDOUT)
        self._stderr = self._stderr[-2000:]
        return b"".join(data for which, data in pieces if which == STDOUT)

    def _failed(self) -> EngineFailed:
        return EngineFailed(
            "a trusted storage container ended or did not answer",
            where=self.id[:12],
            why=self._stderr.decode(errors="replace").strip(),
            todo="`aisci doctor` tests each storage backend",
        )


def helper_body(image: str, labels: Mapping[str, str], **host: Any) -> dict[str, Any]:
    """The engine's settings of a trusted helper: everything off, except what ``host`` adds.

    A maker has the engine's seccomp profile: aisci's refuses the calls that set up devices and
    quotas.
    """
    return {
        "Image": image,
        "User": "0:0",
        "Env": ["PYTHONDONTWRITEBYTECODE=1"],
        "Labels": dict(labels),
        "HostConfig": {
            "NetworkMode": "none",
            **NO_NAMES,
            "ReadonlyRootfs": True,
            "CapDrop": ["ALL"],
            "SecurityOpt": ["no-new-privileges:true"],
            "IpcMode": "private",
            "LogConfig": {"Type": "none"},
            "PidsLimit": 32,
            "NanoCpus": HELPER_CPUS * 10**9,
            "Memory": HELPER_MEMORY,
            "MemorySwap": HELPER_MEMORY,
            **host,
        },
    }


def volume_mount(volume: str, target: str) -> dict[str, Any]:
    """A volume mount without a copy: an engine copies the image's folder, owner included, into a new one."""
    options = {"NoCopy": True}
    return {"Type": "volume", "Source": volume, "Target": target, "VolumeOptions": options}
