"""No container reaches anything: not the host, not its neighbours, not the world, by any family."""

from __future__ import annotations

import socket
import textwrap
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.core.job import ContainerKind
from orchestrator.sandbox.images.images import resolve
from tests.support.controls_rig import bare, held, job, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine

ABSTRACT = "aisci-test-abstract"
METADATA = "169.254.169.254"


@dataclass
class Host:
    """What listens on this machine while the test runs, and who has come."""

    tcp: int
    udp: int
    addresses: tuple[str, ...]
    came: list[str]

    def program(self) -> str:
        """Try each way out; a way that works is worth "done"."""
        return textwrap.dedent(f"""
            def tcp(address, port, family=socket.AF_INET):
                with socket.socket(family, socket.SOCK_STREAM) as one:
                    one.settimeout(2); one.connect((address, port)); one.sendall(b"tcp")
            def udp(address, port, family=socket.AF_INET):
                with socket.socket(family, socket.SOCK_DGRAM) as one: one.sendto(b"udp", (address, port))
            def abstract(name):
                with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as one: one.connect("\\0" + name)
            def icmp(address):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP) as one:
                    one.sendto(b"\\x08\\0\\xf7\\xff\\0\\0\\0\\0", (address, 0))
            for address in {self.addresses!r}:
                attempt("host tcp " + address, lambda: tcp(address, {self.tcp}))
                attempt("host udp " + address, lambda: udp(address, {self.udp}))
            attempt("abstract socket", lambda: abstract({ABSTRACT!r}))
            attempt("interfaces", lambda: sorted(name for _, name in socket.if_nameindex()))
            """)


WORLD = textwrap.dedent(f"""
    attempt("metadata", lambda: tcp("{METADATA}", 80))
    attempt("world tcp", lambda: tcp("93.184.216.34", 443))
    attempt("world udp", lambda: udp("8.8.8.8", 53))
    attempt("world 6 tcp", lambda: tcp("2606:2800:220:1::1", 443, socket.AF_INET6))
    attempt("world 6 udp", lambda: udp("2001:4860:4860::8888", 53, socket.AF_INET6))
    attempt("icmp", lambda: icmp("8.8.8.8"))
    attempt("dns", lambda: socket.getaddrinfo("example.org", 443) and "done")
    attempt("broadcast", lambda: udp("255.255.255.255", 9))
    attempt("multicast", lambda: udp("224.0.0.1", 9))
    attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close())
    attempt("packet", lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 3).close())
    attempt("vsock", lambda: socket.socket(40, socket.SOCK_STREAM).connect((2, 1)))
    attempt("engine's socket", lambda: [path for path in ("/var/run/docker.sock", "/run/docker.sock",
        "/run/containerd/containerd.sock") if os.path.exists(path)])
    """)
PRINT = "print(json.dumps(seen))\n"


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("network")
    with docker_bench(folder, f"network-{folder}") as bench:
        yield bench


@contextmanager
def listening() -> Iterator[Host]:
    """TCP and UDP on every address of this machine, and an abstract unix socket."""
    with ExitStack() as stack:
        tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("0.0.0.0", 0))
        unix = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        unix.bind("\0" + ABSTRACT)
        unix.listen()
        addresses = ("127.0.0.1", *_addresses())
        host = Host(tcp.getsockname()[1], udp.getsockname()[1], addresses, [])
        over = threading.Event()

        def accept(server: socket.socket, name: str) -> None:
            server.settimeout(0.1)
            while not over.is_set():
                try:
                    if name == "udp":
                        server.recvfrom(16)
                    else:
                        server.accept()[0].close()
                except TimeoutError:
                    continue
                host.came.append(name)

        servers = ((tcp, "tcp"), (udp, "udp"), (unix, "unix"))
        threads = [threading.Thread(target=accept, args=each) for each in servers]
        for thread in threads:
            thread.start()
        try:
            yield host
        finally:
            over.set()
            for thread in threads:
                thread.join()


def _addresses() -> list[str]:
    """This machine's own IPv4 addresses: the engine's gateway among them."""
    parts = Path("/proc/net/fib_trie").read_text().split("|--")
    found = {part.split()[0] for part in parts if "/32 host LOCAL" in part}
    return sorted(address for address in found if not address.startswith("127."))


@pytest.mark.parametrize("kind", ["experiment", "latex", "editor"])
def test_nothing_of_the_host_or_the_world_is_reached(
    bench: DockerBench, kind: ContainerKind
) -> None:
    with listening() as host:
        seen = held(bench, host.program() + WORLD + PRINT, limits_of(kind), kind=kind)
    assert host.came == []
    assert seen.pop("interfaces") == ["lo"]
    assert seen.pop("engine's socket") == []
    # A datagram to the container's own loopback goes nowhere, and says nothing of it.
    assert seen.pop("host udp 127.0.0.1") in {"done", "Connection refused"}
    assert {name: words for name, words in seen.items() if words == "done"} == {}
    assert len(seen) >= 14


def test_the_hosts_doors_are_open_to_a_container_on_its_network(bench: DockerBench) -> None:
    image = resolve(bench.engine, "aisci-storage")
    with listening() as host:
        seen = bare(bench.engine, image, host.program() + PRINT, network_mode="host")
    assert len(seen.pop("interfaces")) > 1
    assert set(seen.values()) == {"done"}
    assert set(host.came) == {"tcp", "udp", "unix"}


def test_two_containers_of_one_run_do_not_meet(bench: DockerBench) -> None:
    """By port, by abstract socket, by a file in a common place."""
    listens = f"""
        server = socket.create_server(("127.0.0.1", 4567))
        local = socket.socket(socket.AF_UNIX); local.bind("\\0{ABSTRACT}-job"); local.listen()
        for place in ("/tmp", "/dev/shm", "/dev/mqueue"): os.open(f"{{place}}/met", os.O_CREAT | os.O_RDWR)
        print("ready", flush=True); sys.stdin.readline()
        """
    looks = f"""
        def tcp():
            with socket.socket() as one: one.settimeout(2); one.connect(("127.0.0.1", 4567))
        def unix():
            with socket.socket(socket.AF_UNIX) as one: one.connect("\\0{ABSTRACT}-job")
        attempt("tcp", tcp)
        attempt("unix", unix)
        for place in ("/tmp", "/dev/shm", "/dev/mqueue"):
            attempt(place, lambda: os.close(os.open(f"{{place}}/met", os.O_RDWR)))
        seen["processes"] = sum(name.isdecimal() for name in os.listdir("/proc"))
        print(json.dumps(seen))
        """
    limits = limits_of("experiment")
    with bench.sandbox.open(job(bench, listens, limits)) as session:
        assert session.receive(60) == b"ready", session.finish().stderr
        seen = held(bench, looks, limits)
    assert seen.pop("processes") < 6
    assert set(seen.values()) <= {"Connection refused", "No such file or directory"}
    assert len(seen) == 5
    both = listens.replace('print("ready", flush=True); sys.stdin.readline()', "") + looks
    alone = held(bench, both, limits)
    assert {alone[name] for name in seen} == {"done"}, "in one container they do meet"
