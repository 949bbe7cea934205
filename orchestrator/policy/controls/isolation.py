"""Controls that make a container a closed box: rights, kernel, system calls, network, files."""

from __future__ import annotations

from functools import partial

from orchestrator.core.host import Host
from orchestrator.core.units import TIMES, time_text
from orchestrator.core.units import size_text as _size
from orchestrator.policy.controls.control import (
    NO_ENGINE,
    Control,
    How,
    by_engine,
    by_host,
    container_blocks,
    runtimes_of,
    stated,
)
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import Container
from orchestrator.policy.seccomp import profile_words


def _container(host: Host, policy: Policy) -> How:
    for kind, block in container_blocks(policy).items():
        age = _known_age(host, block)
        if not isinstance(block.image_age, str) and age > block.image_age:
            what = f"{kind}: the image {block.image} is {age / TIMES['d']:.1f} days old"
            return How("missing", what)
    text = "engine options, read back from the engine and from /proc before the job's first line"
    unread = host.trial.unread if host.trial else ()
    if unread:
        text += f"; only root may read, so as the engine reports them: {', '.join(unread)}"
    if host.engine is not None:
        lsm = "AppArmor on" if "name=apparmor" in host.engine.security else "no AppArmor here"
        remapped = host.engine.userns_remap or host.engine.rootless
        users = "users remapped" if remapped else "user IDs are the host's own (no remapping)"
        text = f"{text}; {lsm}, {users}"
    return by_engine(text, host, policy)


def _known_age(host: Host, block: Container) -> float:
    """Seconds since the image of ``block`` was built; 0 where it is not one that aisci builds."""
    flavour = "cuda" if block.gpus.count else "cpu"
    tag = flavour if block.image == "aisci-sandbox" else "latest"
    name = block.image if ":" in block.image else f"{block.image}:{tag}"
    return dict(host.image_ages).get(name, 0.0)


def _oldest(block: Container) -> str:
    age = block.image_age
    return age if isinstance(age, str) else f"{time_text(age)} at most"


def _kernel(block: Container) -> str:
    kernels = {"runc": "the host's kernel", "runsc": "gVisor, a kernel of its own"}
    return f"{kernels[block.runtime]} ({block.runtime}),"


def _harvest(block: Container) -> str:
    most = block.harvest
    sizes = f"{_size(most.bytes)} together, {_size(most.file)} each"
    return f"{most.files} files, {sizes}, {most.depth} folders deep"


def _runtime(host: Host, policy: Policy) -> How:
    if host.engine is None:
        return NO_ENGINE
    tried = [host.runtime(name) for name in runtimes_of(policy)]
    states = "; ".join(f"{one.name}: {one.state}{one.why and f', {one.why}'}" for one in tried)
    if any(one.state in {"absent", "failed"} for one in tried):
        return How("missing", states)
    return How("given" if all(one.state == "tested" for one in tried) else "unknown", states)


def _filter(host: Host, policy: Policy) -> How:
    own = all(block.seccomp == "default" for block in container_blocks(policy).values())
    lacks = "cannot filter system calls" if host.engine and not host.engine.seccomp else ""
    profile = "aisci's own profile" if own else "the policy's own profile, its hash in the policy's"
    text = f"{profile}, given to the engine with each container"
    return by_engine(text, host, policy, lacks=lacks)


def _network(policy: Policy) -> str:
    hosts = policy.whole.experiment.network
    if not hosts:
        return (
            "No container has an interface but loopback: no address, no name can be reached. None is "
            "told the name servers and search domains of the host."
        )
    return (
        f"Experiments may open TLS connections to {', '.join(hosts)} through a proxy of the host's; "
        "they have no interface but loopback. The other containers reach nothing. None is told the "
        "name servers and search domains of the host."
    )


def _way_out(host: Host, policy: Policy) -> How:
    hosts, runtime = policy.whole.experiment.network, policy.whole.experiment.runtime
    if not hosts:
        read = dict(host.trial.seen).get("own net namespace") == "yes" if host.trial else False
        text = "network mode none" + ("; own namespace read from /proc" if read else "")
        return by_engine(text, host, policy)
    if runtime != "runc":
        return How("missing", f"under {runtime} no socket of the host's can be reached")
    text = (
        "network mode none; one unix socket into the container; the proxy takes a whole name and "
        "port 443, resolves it once, dials public addresses only, wants the same name in the TLS "
        "hello, and writes each decision into the journal"
    )
    return by_engine(text, host, policy)


BOX = (
    Control(
        id="container",
        title="A fresh container with no rights",
        keys=("*.image", "*.image_age", "*.user"),
        by="the engine; read back by the host",
        meaning=stated(
            "Each job gets a new container from an image pinned by its id: root file system "
            "read-only, no capability, no new privileges, own namespaces, an init, gone afterwards. "
            "User: {}. Image: {}. Its age when a run starts: {}.",
            lambda block: block.user,
            lambda block: block.image,
            _oldest,
        ),
        how=_container,
        cis=("5.2", "5.4", "5.5", "5.13", "5.15", "5.16", "5.17", "5.21", "5.26", "5.28", "5.31"),
        pss=(
            "privileged",
            "hostPID, hostIPC",
            "allowPrivilegeEscalation: false",
            "runAsNonRoot, runAsUser",
            "capabilities: drop ALL",
        ),
        not_stopped="A vulnerability in the kernel, the engine or its runtime; the contents of the image.",
    ),
    Control(
        id="runtime",
        title="Runtime",
        keys=("*.runtime",),
        by="the engine's runtime",
        meaning=stated("Who answers system calls: {}.", _kernel),
        how=_runtime,
        not_stopped="With runc, a vulnerability in the host's kernel. With runsc, one in gVisor, "
        "or in the kernel behind the few calls that gVisor makes.",
    ),
    Control(
        id="seccomp",
        title="System calls",
        keys=("*.seccomp",),
        by="the kernel, by the profile passed to the engine",
        meaning=stated(
            "What is not on the profile's list is refused; aisci's own refuses mounts, tracing, "
            "namespaces, keys, BPF, io_uring and module loading among others. Profile: {}.",
            lambda block: profile_words(block.seccomp),
        ),
        how=_filter,
        cis=("5.22",),
        pss=("seccompProfile",),
        not_stopped="Kernel vulnerabilities in the allowed calls.",
    ),
    Control(
        id="environment",
        title="Variables and secrets",
        keys=("*.env",),
        by="the host, which creates the list; read back from the engine",
        meaning=stated(
            "The code sees the image's variables, a few of aisci's, and of yours: {}. "
            "No key is in any container.",
            lambda block: ", ".join(block.env) or "none",
        ),
        how=partial(by_engine, "read back from the engine, variable by variable"),
        not_stopped="A secret in a policy, a template or staged data.",
    ),
    Control(
        id="network",
        title="The network",
        keys=("*.network",),
        by="the engine, by an empty namespace; for an allow-list, a proxy on the host",
        meaning=_network,
        how=_way_out,
        cis=("5.8", "5.9", "5.10", "5.14", "5.30"),
        pss=("hostNetwork", "hostPorts"),
        not_stopped="With an allow-list: the code can send anything it can read to an allowed "
        "host, and through it to every party that the host forwards to.",
    ),
    Control(
        id="data",
        title="Staged data and the host's files",
        keys=("*.data",),
        by="the engine, by read-only mounts without nested mounts",
        meaning=stated(
            "Of the host's files a container sees only data sets that --data stages, read-only: {}.",
            lambda block: "nothing" if block.data == "none" else "/data",
        ),
        how=partial(by_engine, "bind mounts, read-only, compared after creation"),
        cis=("5.6", "5.20", "5.32"),
        pss=("volume types (a staged data set is a hostPath, which the profile would refuse)",),
        not_stopped="Misuse of the data that the code receives.",
    ),
    Control(
        id="harvest",
        title="Harvested files",
        keys=("*.harvest.*",),
        by="the host, while it reads the stream",
        meaning=stated(
            "Regular files at declared places, with safe names; links, devices and the rest are named "
            "and left. At most: {}.",
            _harvest,
        ),
        how=partial(
            by_host,
            "a bounded reader of tar, in Python; files are hashed on their way in and stay opaque",
        ),
        not_stopped="Wrong numbers in a well-formed file; attacks on the program that later "
        "opens a picture or a PDF.",
    ),
)
