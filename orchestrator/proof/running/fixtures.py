"""What probes find: files, command lines, lowered limits, this machine's own exposed services.

During a proof this machine listens by TCP and UDP on all of its addresses and on an abstract unix
socket, accepts connections and closes them. So a probe has something of the host to reach, and
the host counts who came. A fake API key is placed in this process's environment, and again in a
file next to a socket; another file is in shared memory: none of them may be in a container.
"""

from __future__ import annotations

import json
import os
import platform
import secrets
import socket
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from orchestrator.core.job import Limits
from orchestrator.core.units import MIB, size_text, time_text
from orchestrator.proof.probe import HELPERS, SIZE_LIMITS, TIME_LIMITS, Bare, Probe
from orchestrator.sandbox.job.spec import WORKDIR

KEY_NAME = "AISCI_PROOF_API_KEY"
DATA_SET = "proof"  # the staged data set's name
HOST_FILE = "aisci-proof-of-the-hosts"  # in a folder of this machine that no job is given
FAKE_SOCKET = "docker.sock"  # next to it, in place of an engine's socket
PROBES = "probes"  # below the working directory
_HELPERS = f"{PROBES}/{HELPERS}"
ENVIRONMENT = {"PYTHONPATH": f"{WORKDIR}/{_HELPERS}", "PYTHONDONTWRITEBYTECODE": "1"}

# As large as a probe needs, so that it is quick and does not fill the disk.
_SMALL: dict[str, float] = {
    "cpus": 1.0, "memory": 256 * MIB, "shm": 8 * MIB, "tmp": 8 * MIB, "workspace": 16 * MIB, "file": 12 * MIB,
    "inodes": 512, "wall": 90.0, "cpu_time": 90.0, "grace": 1.0, "logs": MIB, "pids": 128,
    "open_files": 256, "harvest_files": 100, "harvest_bytes": 6 * MIB, "harvest_file": 2 * MIB,
}  # fmt: skip
# gVisor's own threads and memory count against the container's limits.
_GVISOR_OVERHEAD: dict[str, float] = {"pids": 128, "memory": 64 * MIB}
_SIZES = SIZE_LIMITS | {"harvest_bytes", "harvest_file"}


@dataclass(frozen=True, slots=True)
class ExposedServices:
    """This machine's exposed services; ``came`` grows with each visitor, by the service's name."""

    tcp: int
    udp: int
    addresses: tuple[str, ...]
    abstract: str
    key: tuple[str, str]
    data: Path
    own: Path
    came: list[str] = field(default_factory=list)


def _machine() -> dict[str, Any]:
    """What distinguishes this machine and this process from any other."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    stat = Path("/proc/self/stat").read_text()
    return {
        "kernel": platform.release(),
        "boot": boot.read_text().strip() if boot.exists() else "",
        "process": [os.getpid(), int(stat.rpartition(")")[2].split()[19])],
    }


@contextmanager
def exposed_services() -> Iterator[ExposedServices]:
    """Open them, and close them at the end."""
    key = ("sk-aisci-proof-", secrets.token_hex(16))
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))  # noqa: S104  # every address is the point
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("0.0.0.0", 0))  # noqa: S104  # likewise
        unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        abstract = f"aisci-proof-{secrets.token_hex(8)}"
        unix.bind(f"\0{abstract}")
        unix.listen()
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisci-proof-")))
        data.chmod(0o777)  # a job's user may write there, were it not for the mount
        (data / "numbers.txt").write_text("42\n")
        (data / "numbers.txt").chmod(0o666)
        own = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="aisci-proof-")))
        own.chmod(0o755)  # as most folders are
        (own / HOST_FILE).write_text("".join(key))
        engine = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        engine.bind(str(own / FAKE_SOCKET))
        engine.listen()
        os.environ[KEY_NAME] = "".join(key)
        stack.callback(os.environ.pop, KEY_NAME)
        shared = Path("/dev/shm", abstract)  # noqa: S108  # shared memory is the point
        if shared.parent.is_dir():  # else this machine has none
            stack.callback(shared.unlink, missing_ok=True)
            shared.write_text("the host's own\n")
            shared.chmod(0o644)  # any user may read it
        ports = tcp.getsockname()[1], udp.getsockname()[1]
        made = ExposedServices(*ports, ("127.0.0.1", *_addresses()), abstract, key, data, own)
        over = threading.Event()
        servers = ((tcp, "tcp"), (udp, "udp"), (unix, "abstract socket"))
        for server, name in servers:
            thread = threading.Thread(target=_accept, args=(server, name, made.came, over))
            stack.callback(thread.join)
            stack.callback(over.set)  # called first
            thread.start()
        yield made


def _accept(server: socket.socket, name: str, came: list[str], over: threading.Event) -> None:
    """Record each visitor, until ``over`` is set and no visitor is waiting any more."""
    server.settimeout(0.1)
    while True:
        try:
            if name == "udp":
                server.recvfrom(16)
            else:
                server.accept()[0].close()
        except TimeoutError:
            # Only now: a visitor that came just before the end counts too.
            if over.is_set():
                return
        else:
            came.append(name)


def _addresses() -> list[str]:
    """This machine's own IPv4 addresses, including the engine's gateway."""
    parts = Path("/proc/net/fib_trie").read_text().split("|--")
    found = {part.split()[0] for part in parts if "/32 host LOCAL" in part}
    return sorted(address for address in found if not address.startswith("127."))


def lowered_limits(limits: Limits, probe: Probe | None) -> tuple[Limits, str]:
    """The limits for one probe, none of them higher; and the lowered ones as text."""
    overhead = _GVISOR_OVERHEAD if limits.runtime != "runc" else {}
    lowered: dict[str, Any] = {}
    for name, amount in {**_SMALL, **dict(probe.lower if probe else ())}.items():
        policy_limit, wanted = getattr(limits, name), amount + overhead.get(name, 0)
        if wanted < policy_limit:
            lowered[name] = type(policy_limit)(wanted)
    texts = (_text(name, lowered[name], getattr(limits, name)) for name in sorted(lowered))
    return replace(limits, **lowered), ", ".join(texts)


def _text(name: str, now: float, before: float) -> str:
    text: Any = size_text if name in _SIZES else time_text if name in TIME_LIMITS else "{:g}".format
    return f"{name} {text(now)} for {text(before)}"


def given_json(
    limits: Limits, services: ExposedServices, *, bare: bool, more: Mapping[str, Any] | None = None
) -> bytes:
    """The file ``given.json``, which ``probing.py`` reads."""
    names = ("memory", "shm", "tmp", "workspace", "file", "inodes", "wall", "cpu_time", "grace",
             "logs", "pids", "open_files", "cpus", "harvest_files", "harvest_bytes",
             "harvest_file", "harvest_depth", "network", "runtime", "user", "gpus", "gpu_memory")  # fmt: skip
    values = {name: getattr(limits, name) for name in names}
    # The key is in two pieces, so that a probe does not find its own input.
    own = {name: getattr(services, name) for name in ("tcp", "udp", "addresses", "abstract", "key")}
    own |= {"data": DATA_SET, "shared": services.abstract, "host_file": HOST_FILE, **_machine()}
    return json.dumps({**values, **own, "bare": bare, **(more or {})}).encode()


def probe_files(folder: Path) -> dict[str, bytes]:
    """Every file of the probes, by its path below a job's working directory."""
    return {
        f"{PROBES}/{path.relative_to(folder)}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }


def probe_argv(probe: Probe) -> tuple[str, ...]:
    players = {".tex": [f"{_HELPERS}/typeset.py"], ".md": [f"{_HELPERS}/editing.py"]}
    return ("python3", *players.get(Path(probe.file).suffix, []), f"{PROBES}/{probe.file}")


def bare_argv(probe: Probe, args: Sequence[str]) -> tuple[str, ...]:
    """As guarded; but where the host judges, a naive reader in the container does so instead."""
    argv = (*probe_argv(probe), *args)
    if probe.judge not in {"itself", "host"}:
        argv = ("python3", f"{_HELPERS}/naive.py", probe.judge, *argv[1:])
    return _in_world(argv) if probe.bare == "world" else argv


def shared_argv(probes: Sequence[Probe], mode: Bare = "plain") -> tuple[str, ...]:
    argv = ("python3", f"{_HELPERS}/together.py", *(one.file for one in probes))
    return _in_world(argv) if mode == "world" else argv


def _in_world(argv: tuple[str, ...]) -> tuple[str, ...]:
    return ("python3", f"{_HELPERS}/world.py", *argv)
