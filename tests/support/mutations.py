"""Every part of every control taken away once, behind the sandbox's back: what a proof must notice.

A mutation changes what the code path that experiments use asks of the engine, or takes out the
host's own half. The checks that read settings back are taken out with it, for it is behaviour that
is to notice. Where another control stands in front of the one taken away, it is taken away in both
runs (``layers``): with the control in place the probes must still be stopped, without it not.

Nothing of this is in the program: it has no switch that weakens a container.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from orchestrator.core.deadline import FOREVER, Deadline
from orchestrator.core.job import ContainerKind, Job
from orchestrator.proof.running import inspection as looks
from orchestrator.proof.running.bare import CAPABILITIES
from orchestrator.proof.running.fixtures import KEY_NAME
from orchestrator.proof.running.runner import ProbeRunner
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox import sandbox
from orchestrator.sandbox.admission import Admission
from orchestrator.sandbox.engine.client import Engine
from orchestrator.sandbox.engine.resolver import NO_NAMES
from orchestrator.sandbox.harvest import harvest
from orchestrator.sandbox.harvest.harvest import HarvestRules
from orchestrator.sandbox.job import gate_view, slot
from orchestrator.sandbox.job import spec as container
from orchestrator.sandbox.job.monitor import Monitor
from orchestrator.sandbox.job.verify import ReadBack
from orchestrator.sandbox.network.allowlist import ConnectRequest
from orchestrator.sandbox.network.dial import ResolvedHost, Resolver
from orchestrator.sandbox.network.proxy import Proxy
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.sandbox.storage import quota as storage
from orchestrator.sandbox.storage import volumes
from orchestrator.sandbox.storage.quota import Quota
from tests.support import mutated_images as images

MIB = 1 << 20
Body = dict[str, Any]
Change = Callable[[Body], None]
Without = Callable[[ProbeRunner], AbstractContextManager[object]]


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """One part of a control, and how it is taken away.

    ``layers`` is what stands in front of it, taken away in both runs. ``image`` is a shell
    command that changes the container's image, where the part lies in there. ``policy`` has the
    part; ``kinds`` are the containers in which the probes are run.
    """

    part: str
    says: str
    without: Without = lambda _: nullcontext()
    layers: Without | None = None
    image: str = ""
    policy: str = "ci-cpu"
    kinds: tuple[ContainerKind, ...] = ("experiment",)


# --- what the engine is asked for ------------------------------------------------------------


def asked(*changes: Change) -> Without:
    """The create request of a job's container, changed; and nobody reads it back."""

    @contextmanager
    def without(_: ProbeRunner) -> Iterator[None]:
        made = container.create_request

        def changed(*args: Any, **more: Any) -> Body:
            body = made(*args, **more)
            for change in changes:
                change(body)
            return body

        with (
            patch.object(slot, "create_request", changed),
            patch.object(slot, "read_back", _process_alone),
            patch.object(gate_view, "check_kernel_view", lambda *_: None),
            patch.object(gate_view, "check_workspace", lambda *_: None),
        ):
            yield

    return without


def _process_alone(engine: Engine, made: str, _asked: Body) -> ReadBack:
    """Of a read-back only what the host needs to monitor the job."""
    have = engine.api.inspect_container(made)
    state, resolv_conf = have["State"], str(have.get("ResolvConfPath") or "")
    return ReadBack((), (), state["Pid"], resolv_conf, state["Running"])


def host(**settings: Any) -> Change:
    """Other settings of the engine's HostConfig."""
    return lambda body: body["HostConfig"].update(settings)


def root(body: Body) -> None:
    body["User"] = "0:0"


def unconfined(body: Body) -> None:
    body["HostConfig"]["SecurityOpt"] = ["no-new-privileges:true", "seccomp=unconfined"]


def new_privileges(body: Body) -> None:
    options = body["HostConfig"]["SecurityOpt"]
    body["HostConfig"]["SecurityOpt"] = [one for one in options if not one.startswith("no-new")]


def no_ulimit(name: str) -> Change:
    def change(body: Body) -> None:
        limits = body["HostConfig"]["Ulimits"]
        body["HostConfig"]["Ulimits"] = [one for one in limits if one["Name"] != name]

    return change


def large_core(body: Body) -> None:
    """What an engine gives by itself."""
    no_ulimit("core")(body)
    body["HostConfig"]["Ulimits"].append({"Name": "core", "Soft": 16 * MIB, "Hard": 16 * MIB})


def health_check(body: Body) -> None:
    body["Healthcheck"] = {}


def wide_tmp(body: Body) -> None:
    body["HostConfig"]["Tmpfs"] = {"/tmp": "size=256m,mode=1777,exec"}


def writable_data(body: Body) -> None:
    for mount in body["HostConfig"]["Mounts"]:
        if mount["Type"] == "bind":
            mount["ReadOnly"] = False


def engine_socket(body: Body) -> None:
    mount = {"Type": "bind", "Source": "/var/run/docker.sock", "Target": "/var/run/docker.sock"}
    body["HostConfig"]["Mounts"].append(mount)


def all_gpus(body: Body) -> None:
    """As the image says."""
    body["Env"] = [line for line in body["Env"] if not line.startswith("NVIDIA_")]


def runc(body: Body) -> None:
    body["HostConfig"]["Runtime"] = "runc"


def key_inside(trials: ProbeRunner) -> AbstractContextManager[object]:
    key = "".join(trials.services.key)
    return asked(lambda body: body["Env"].append(f"{KEY_NAME}={key}"))(trials)


@contextmanager
def kept_tmp(trials: ProbeRunner) -> Iterator[None]:
    """/tmp on a volume that jobs share."""
    name = f"{trials.resources.prefix}-mutated"
    labels = trials.resources.labels("mutated", "volume")
    trials.engine.volumes.create(name, labels=labels)

    def change(body: Body) -> None:
        body["HostConfig"]["Tmpfs"] = {}
        mount = {"Type": "volume", "Source": name, "Target": "/tmp"}
        body["HostConfig"]["Mounts"].append(mount)

    try:
        with asked(change, root)(trials):
            yield
    finally:
        trials.engine.volumes.get(name).remove(force=True)


@contextmanager
def in_a_world(trials: ProbeRunner) -> Iterator[None]:
    """The network of a container on whose loopback the outside world's stand-ins listen.

    So no packet leaves: the real world is nobody's to try things on.
    """
    with images.world(trials) as stand_in:

        def change(body: Body) -> None:
            body["HostConfig"]["NetworkMode"] = f"container:{stand_in}"
            for name in NO_NAMES:  # an engine takes no names of its own beside another's network
                del body["HostConfig"][name]
            body.pop("Hostname")

        with asked(change)(trials):
            yield


# --- the host's own half ------------------------------------------------------------------------


def patched(target: Any, name: str, value: Any) -> Without:
    return lambda _: patch.object(target, name, value)


def watched(**limits: Any) -> Without:
    """A watch that knows other limits than the job's."""

    def wider(*args: Any, **more: Any) -> Monitor:
        return Monitor(*args, **{**more, "limits": replace(more["limits"], **limits)})

    return patched(sandbox, "Monitor", wider)


def no_deadline(_: ProbeRunner) -> AbstractContextManager[object]:
    """Where a container is made, too: on a busy machine that alone takes longer than the idea has."""
    start = DockerSandbox._start

    def endless(self: DockerSandbox, job: Job, within: Deadline, *args: Any, **more: Any) -> Any:
        del within
        return start(self, job, FOREVER, *args, **more)

    return patch.object(DockerSandbox, "_start", endless)


def quota(**wider: int) -> Without:
    """A volume that is larger than asked, and nobody tries whether it holds."""

    @contextmanager
    def without(_: ProbeRunner) -> Iterator[None]:
        made, listed, backend = storage.loop_device, storage.volume_options, "loop"

        def more(one: Quota) -> Quota:
            return replace(one, **{key: times * getattr(one, key) for key, times in wider.items()})

        with (
            patch.object(volumes, "loop_device", lambda maker, one: made(maker, more(one))),
            patch.object(
                volumes, "volume_options", lambda name, one, at: listed(name, more(one), at)
            ),
            patch.object(volumes.Volumes, "_choose", lambda *_: backend),
        ):
            yield

    return without


@contextmanager
def any_options(trials: ProbeRunner) -> Iterator[None]:
    with patch.object(storage, "OPTIONS", "rw"), asked()(trials):
        yield


def rules(**wider: Any) -> Without:
    """A harvest by other rules, at both ends of the pipe."""
    made = HarvestRules.of

    def of(*args: Any) -> HarvestRules:
        return replace(made(*args), **wider)

    return patched(HarvestRules, "of", of)


def unread_blobs(_: ProbeRunner) -> AbstractContextManager[object]:
    return patch.object(BlobStore, "get", lambda self, sha256: self.path(sha256).read_bytes())


@contextmanager
def no_kinds(_: ProbeRunner) -> Iterator[None]:
    """Links and the like taken for files."""
    with patch("orchestrator.sandbox.harvest.harvest._Kept._wrong_kind", lambda *_: None):
        yield


def lenient_numbers(_: ProbeRunner) -> AbstractContextManager[object]:
    def careless(data: bytes) -> Any:
        try:
            return json.loads(data, parse_int=float)
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    return patch("orchestrator.template.results.loads", careless)


@contextmanager
def opened_files(trials: ProbeRunner) -> Iterator[None]:
    """What comes home is opened by a container that may write where the host looks."""
    looked = looks.inspect_output

    def careless(probe: Any, seen: Any, result: Any, blobs: Any, marker: Path) -> Any:
        images.unpickle(trials, [blobs.get(sha) for _, sha in result.files.files], marker)
        return looked(probe, seen, result, blobs, marker)

    with patch.object(looks, "inspect_output", careless):
        yield


@contextmanager
def any_name(_: ProbeRunner) -> Iterator[None]:
    """An allow-list that any request fits, whatever its name looks up to."""

    def judged(_: bytes, allowed: tuple[str, ...]) -> ConnectRequest:
        return ConnectRequest(allowed[0])

    def reached(*_: object) -> socket.socket:
        mine, other = socket.socketpair()
        stack.enter_context(other)
        return mine

    with ExitStack() as stack:
        stack.enter_context(patch("orchestrator.sandbox.network.proxy.judge_request", judged))
        stack.enter_context(
            patch.object(Resolver, "get", lambda *_: ResolvedHost(("203.0.113.1",)))
        )
        stack.enter_context(patch.object(Proxy, "_reach", reached))  # no packet leaves this machine
        yield


MUTATIONS = (
    Mutation(
        part="container.read-only",
        says="the root file system can be written to",
        without=asked(root, host(ReadonlyRootfs=False)),
        layers=asked(root),
    ),
    Mutation(part="container.user", says="the job is root", without=asked(root)),
    Mutation(
        part="container.capabilities",
        says="the capabilities of the bare container",
        without=asked(root, unconfined, host(CapDrop=[], CapAdd=list(CAPABILITIES))),
        layers=asked(root, unconfined),
    ),
    Mutation(
        part="container.no-new-privileges",
        says="new privileges may be had",
        without=asked(new_privileges),
    ),
    Mutation(
        part="container.processes",
        says="the host's processes are seen",
        without=asked(host(PidMode="host")),
    ),
    Mutation(
        part="container.ipc",
        says="shared memory is the host's",
        without=asked(host(IpcMode="host")),
    ),
    Mutation(part="container.fresh", says="/tmp is kept between jobs", without=kept_tmp),
    Mutation(
        part="container.health-check",
        says="the image's health check runs",
        without=asked(health_check),
    ),
    Mutation(
        part="runtime.kernel",
        says="the host's kernel answers",
        without=asked(runc),
        policy="strict",
    ),
    Mutation(part="seccomp.profile", says="no filter", without=asked(unconfined)),
    Mutation(part="environment.closed", says="a key in the environment", without=key_inside),
    Mutation(part="network.none", says="a network with a world in it", without=in_a_world),
    Mutation(
        part="network.resolver",
        says="the host's resolv.conf, as an engine copies it",
        without=asked(host(**{name: [] for name in NO_NAMES})),
    ),
    Mutation(
        part="network.allow-list",
        says="the proxy takes any request",
        without=any_name,
        policy="allowlist-example",
    ),
    Mutation(part="data.read-only", says="data can be written", without=asked(writable_data)),
    Mutation(part="data.host-files", says="the engine's socket", without=asked(engine_socket)),
    Mutation(part="harvest.links", says="links are taken for files", without=no_kinds),
    Mutation(
        part="harvest.names",
        says="any name is taken",
        without=patched(harvest, "why_unsafe", lambda *_: None),
    ),
    Mutation(
        part="harvest.declared",
        says="undeclared places are read",
        without=rules(paths=("out/", "outer/", "run_1/", "notes.txt")),
    ),
    Mutation(part="harvest.files", says="any number of files", without=rules(files=10_000)),
    Mutation(part="harvest.bytes", says="any number of bytes", without=rules(bytes=1 << 40)),
    Mutation(part="harvest.file", says="files of any size", without=rules(file=1 << 40)),
    Mutation(part="harvest.depth", says="folders of any depth", without=rules(depth=60)),
    Mutation(part="harvest.kept", says="hashes are not looked at", without=unread_blobs),
    Mutation(part="harvest.numbers", says="Python's own JSON reader", without=lenient_numbers),
    Mutation(part="harvest.opaque", says="files are opened", without=opened_files),
    Mutation(
        part="memory.limit",
        says="no limit of memory",
        without=asked(host(Memory=0, MemorySwap=0)),
    ),
    Mutation(
        part="memory.swap",
        says="swap without end",
        without=asked(host(MemorySwap=-1)),
    ),
    Mutation(part="memory.shm", says="a large /dev/shm", without=asked(host(ShmSize=256 * MIB))),
    Mutation(part="cpus.quota", says="no quota of CPU time", without=asked(host(NanoCpus=0))),
    Mutation(part="processes.pids", says="no limit of pids", without=asked(host(PidsLimit=0))),
    Mutation(
        part="processes.open-files",
        says="no limit of open files",
        without=asked(no_ulimit("nofile")),
    ),
    Mutation(part="processes.core", says="core files are written", without=asked(large_core)),
    Mutation(part="disk.bytes", says="four times the bytes", without=quota(bytes=4)),
    Mutation(part="disk.inodes", says="eight times the inodes", without=quota(bytes=4, inodes=8)),
    Mutation(part="disk.file", says="no limit of a file", without=asked(no_ulimit("fsize"))),
    Mutation(part="disk.tmp", says="a large /tmp", without=asked(wide_tmp)),
    Mutation(part="disk.options", says="a mount without options", without=any_options),
    Mutation(part="time.wall", says="no wall clock", without=watched(wall=3600.0)),
    Mutation(part="time.cpu", says="no limit of CPU time", without=watched(cpu_time=36000.0)),
    Mutation(
        part="time.kill",
        says="TERM and no KILL",
        without=patched(Monitor, "_kill", lambda *_: None),
    ),
    Mutation(part="time.sentinel", says="no sentinel", without=images.no_sentinel),
    Mutation(part="logs.flood", says="no limit of output", without=watched(logs=1 << 40)),
    Mutation(
        part="logs.words",
        says="output is shown as it is",
        without=patched(looks, "plain", lambda text, **_: text),
    ),
    Mutation(part="gpus.none", says="the image's own word", without=asked(all_gpus)),
    Mutation(
        part="latex.shell",
        says="a shell for TeX",
        image=images.COMPILE.format(
            's/-no-shell-escape/-shell-escape/; s/"shell_escape": "f"/"shell_escape": "t"/'
        ),
        kinds=("latex",),
    ),
    Mutation(
        part="latex.reading",
        says="TeX reads anywhere",
        image=images.COMPILE.format('s/"openin_any": "p"/"openin_any": "a"/'),
        kinds=("latex",),
    ),
    Mutation(
        part="latex.writing",
        says="TeX writes anywhere",
        image=images.COMPILE.format('s/"openout_any": "p"/"openout_any": "a"/'),
        kinds=("latex",),
    ),
    Mutation(
        part="latex.time",
        says="no time limit",
        image=images.COMPILE.format("s/^STEP_SECONDS = 40.*/STEP_SECONDS = 4000/"),
        without=watched(wall=3600.0),
        kinds=("latex",),
    ),
    Mutation(
        part="latex.pages",
        says="any number of pages",
        image=images.COMPILE.format("s/^MOST_PAGES = 40.*/MOST_PAGES = 100000/"),
        kinds=("latex",),
    ),
    Mutation(
        part="latex.active",
        says="a PDF is not looked at",
        image=images.INERT.format("s/^        judge(paper)/        pass/"),
        kinds=("latex",),
    ),
    *(
        Mutation(
            part=f"editor.{part}",
            says=f"Aider without the guard of {part}",
            image=images.GUARD,
            kinds=("editor",),
        )
        for part in ("paths", "links", "commands", "urls")
    ),
    Mutation(part="idea.wall", says="an idea without end", without=no_deadline),
    Mutation(
        part="run.together",
        says="any number of jobs at once",
        without=patched(Admission, "_its_turn", lambda *_: True),
    ),
    Mutation(
        part="reserve.kept",
        says="the host keeps nothing",
        without=patched(Admission, "_lacking", lambda *_: None),
    ),
)
