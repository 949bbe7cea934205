"""The allow-list's proxy on real sockets: what it lets out, and all that it does not.

The servers, certificates and connections are real, on an Internet of two network namespaces;
only the names' addresses are scripted, to lie as an attacker's would.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orchestrator.core.errors import ControlUnavailable, SandboxFailed
from orchestrator.core.files import shipped_root
from orchestrator.core.job import Egress
from orchestrator.sandbox.network import clienthello, connection
from orchestrator.sandbox.network import decisions as egress_record
from orchestrator.sandbox.network import dial as egress_world
from orchestrator.sandbox.network import proxy as egress
from orchestrator.sandbox.network.allowlist import MAX_HEAD
from orchestrator.sandbox.network.proxy import Proxy
from tests.support.egress_rig import (
    ALLOWED,
    HOST,
    LISTENER,
    OURS,
    SERVER,
    SERVER_V6,
    Internet,
    client_context,
    hello,
    inside,
    until,
)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can make the network namespaces that stand for the world"
)

CONNECT = f"CONNECT {HOST}:443 HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    made = Internet(tmp_path_factory.mktemp("internet"))
    yield made
    made.close()


@dataclass
class Names:
    """A resolver whose answers are set, and whose questions are counted."""

    answers: list[tuple[str, ...]] = field(default_factory=lambda: [(SERVER,)])
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return answer


class Bench:
    """One job's proxy, and clients as its container would be."""

    def __init__(self, internet: Internet, folder: Path) -> None:
        self.internet, self.names = internet, Names()
        self.listener = internet.listener
        self.proxy = Proxy(ALLOWED, folder / "s", internet.reached_by(self.names))
        self.proxy.begin()

    def connect(self) -> socket.socket:
        with contextlib.ExitStack() as undo:
            sock = undo.enter_context(socket.socket(socket.AF_UNIX))
            sock.settimeout(30)
            sock.connect(str(self.proxy.path))
            undo.pop_all()
        return sock

    def say(self, data: bytes) -> bytes:
        """All that the proxy answers to ``data``, until it hangs up."""
        with self.connect() as sock:
            sock.sendall(data)
            return everything(sock)

    def fetch(self, path: str = "/", host: str = HOST, body: bytes = b"") -> bytes:
        """One HTTPS request through the proxy, the certificate checked."""
        with self.connect() as sock:
            sock.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            answer = sock.recv(1000)
            if not answer.startswith(b"HTTP/1.1 200 "):
                return answer
            context = client_context(self.internet.certificate)
            with context.wrap_socket(sock, server_hostname=host) as tls:
                head = f"POST {path}" if body else f"GET {path}"
                tls.sendall(f"{head} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode())
                tls.sendall(body)
                return everything(tls).partition(b"\r\n\r\n")[2]

    def told(self) -> tuple[Egress, ...]:
        return self.proxy.close()


def everything(sock: socket.socket) -> bytes:
    data = b""
    with contextlib.suppress(ConnectionError):
        while more := sock.recv(1 << 16):
            data += more
    return data


@pytest.fixture
def bench(internet: Internet, tmp_path: Path) -> Iterator[Bench]:
    internet.listener.heard, internet.listener.callers = b"", 0
    internet.listener.gone.clear()
    made = Bench(internet, tmp_path)
    yield made
    made.told()


def one(bench: Bench) -> Egress:
    """The only decision."""
    (told,) = bench.told()
    return told


@pytest.mark.program
def test_an_allowed_host_is_reached_with_its_own_certificate_and_the_record_says_all(
    bench: Bench,
) -> None:
    assert bench.fetch() == b"took 0"
    assert bench.fetch(body=b"y" * 100_000) == b"took 100000"
    assert bench.fetch("/big", "files.example.org") == b"x" * 2_000_000
    small, posted, big = bench.told()
    for told, host in ((small, HOST), (posted, HOST), (big, "files.example.org")):
        assert (told.allowed, told.host, told.address) == (True, f"{host}:443", SERVER)
        assert told.count == 1
    assert small.why == ""
    assert 100_000 < posted.sent < 110_000
    assert big.received > 2_000_000
    assert 0 < big.sent < 10_000
    assert 0 <= small.at <= posted.at <= big.at


@pytest.mark.program
@pytest.mark.parametrize(
    ("request_", "status", "why"),
    [
        (b"CONNECT evil.example.org:443 HTTP/1.0\r\n\r\n", 403, "not in the allow-list"),
        (b"CONNECT api.example.org.:443 HTTP/1.0\r\n\r\n", 403, "a dot after"),
        (b"CONNECT 93.184.216.34:443 HTTP/1.0\r\n\r\n", 403, "an IP address"),
        (b"CONNECT 1572395042:443 HTTP/1.0\r\n\r\n", 403, "an IP address"),
        (b"CONNECT [::ffff:5db8:d822]:443 HTTP/1.0\r\n\r\n", 403, "an IP address"),
        (b"CONNECT api.example.org:22 HTTP/1.0\r\n\r\n", 403, "only port 443"),
        (b"CONNECT api.example.org\0.evil.org:443 HTTP/1.0\r\n\r\n", 400, "a control character"),
        (b"GET http://api.example.org/ HTTP/1.1\r\nHost: api.example.org\r\n\r\n", 405, "CONNECT"),
        (b"GET http://169.254.169.254/latest HTTP/1.1\r\n\r\n", 405, "not a CONNECT"),
        (hello(HOST), 400, "control character"),
        (b"CONNECT api.example.org:443 HTTP/1.1\r\nHost: evil.org\r\n\r\n", 400, "another host"),
        (b"CONNECT api.example.org:443 HTTP/1.1\r\nX: " + b"x" * 9000, 400, "more than 8192"),
        (
            b"CONNECT api.example.org:443 HTTP/1.1\nHost: api.example.org\n\n",
            408,
            "before it was complete",
        ),
    ],
)
def test_a_request_for_anything_else_is_refused_asked_of_nobody_and_recorded(
    bench: Bench, request_: bytes, status: int, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "STEP_TIMEOUT", 1.0)
    answer = bench.say(request_)
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert why.encode() in answer
    told = one(bench)
    assert (told.allowed, told.address, told.sent, told.received) == (False, "", 0, 0)
    assert why in told.why
    assert told.host.isprintable()
    assert bench.names.asked == []


@pytest.mark.program
@pytest.mark.parametrize(
    "answer",
    [
        ("10.0.0.5",),
        ("127.0.0.1",),
        ("169.254.169.254",),
        ("::1",),
        ("fd00:ec2::254",),
        ("::ffff:93.184.216.34",),
        ("64:ff9b::a9fe:a9fe",),
        ("0.0.0.0",),
        (SERVER, "192.168.1.1"),
        ("not an address",),
    ],
)
def test_a_name_that_points_anywhere_inside_is_refused_whole(
    bench: Bench, answer: tuple[str, ...]
) -> None:
    dialled: list[str] = []
    object.__setattr__(bench.proxy._dialer, "dial", dialled.append)
    bench.names.answers = [answer]
    assert b" 502 " in bench.fetch()
    told = one(bench)
    assert not told.allowed
    assert "is not public" in told.why
    assert dialled == []


@pytest.mark.program
def test_a_name_is_looked_up_once_so_that_a_second_answer_changes_nothing(bench: Bench) -> None:
    bench.names.answers = [(SERVER,), ("169.254.169.254",)]
    assert [bench.fetch() for _ in range(3)] == [b"took 0"] * 3
    assert bench.names.asked == [HOST]
    assert {told.address for told in bench.told()} == {SERVER}


@pytest.mark.program
def test_a_look_up_that_fails_is_a_decision_too_and_may_be_tried_again(bench: Bench) -> None:
    bench.names.answers = [(), (SERVER,)]
    assert b"no address found: Temporary failure" in bench.fetch()
    assert bench.fetch() == b"took 0"
    assert [told.allowed for told in bench.told()] == [False, True]


@pytest.mark.program
def test_a_server_that_does_not_answer_gives_way_to_the_next_of_its_addresses(
    bench: Bench,
) -> None:
    bench.names.answers = [("93.184.216.99", SERVER)]  # the first is nobody's on this wire
    assert bench.fetch() == b"took 0"
    assert one(bench).address == SERVER


@pytest.mark.program
@pytest.mark.skipif(not Path("/proc/sys/net/ipv6").exists(), reason="this kernel has no IPv6")
def test_a_public_address_of_ipv6_is_as_good(bench: Bench) -> None:
    bench.names.answers = [(SERVER_V6,)]
    assert bench.fetch() == b"took 0"
    assert one(bench).address == SERVER_V6


# A program of each kind, told of the proxy by the environment alone, as in a container.
CLIENTS = {
    "urllib": "import urllib.request as r; print(r.urlopen(URL).read().decode())",
    "requests": "import requests; print(requests.get(URL).text)",
    "httpx": "import httpx; print(httpx.get(URL).text)",
    "git": "import subprocess as s; s.run(['git', 'ls-remote', URL], check=False)",
}


@pytest.mark.program
@pytest.mark.parametrize("client", CLIENTS)
def test_the_usual_clients_find_the_way_by_the_environment(
    bench: Bench, client: str, tmp_path: Path
) -> None:
    """With the forwarder that stands in the images; here it and the client are on the host."""
    ca = tmp_path / "ca.pem"
    ca.write_text(bench.internet.certificate)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    forwarder = shipped_root() / "sandbox" / "egress" / "forward.py"
    subprocess.run([sys.executable, str(forwarder), str(port), str(bench.proxy.path)], check=True)
    trust = dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "GIT_SSL_CAINFO"), str(ca))
    environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **trust}
    environ["HTTPS_PROXY"] = environ["https_proxy"] = f"http://127.0.0.1:{port}"
    program = CLIENTS[client].replace("URL", repr(f"https://{HOST}/"))
    done = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=False
    )
    end_forwarder(port)
    told, *_ = bench.told()
    assert (told.allowed, told.host) == (True, f"{HOST}:443"), done.stderr
    assert told.received > 1000
    assert client == "git" or done.stdout == "took 0\n"


def end_forwarder(port: int) -> None:
    """It has gone into the background, and is known by the port that is this test's alone."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if str(port).encode() in words and any(b"egress/forward.py" in w for w in words):
                os.kill(int(folder.name), signal.SIGKILL)


@pytest.mark.program
def test_this_machines_own_public_address_is_not_the_outside(bench: Bench) -> None:
    bench.names.answers = [(OURS,)]
    with inside(bench.internet.ours):
        own = socket.create_server((OURS, 443))
    with own:
        assert b"belongs to this machine" in bench.fetch()
    assert not one(bench).allowed


@pytest.mark.program
@pytest.mark.parametrize(
    ("first", "why"),
    [
        (hello("evil.example.org"), "TLS for another host, evil.example.org"),
        (hello("files.example.org"), "TLS for another host, files.example.org"),
        (hello("API.example.org"), "TLS for another host, API.example.org"),
        (hello(None), "names no server"),
        (b"GET / HTTP/1.1\r\nHost: api.example.org\r\n\r\n", "not TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"),
        (b"\x16\x03\x01\x40\x00" + bytes(99), "more than 16384 bytes"),
        (b"\x16\x03\x01\x00\x40" + b"\x01\x00\x00\x3c", "no TLS hello came"),
        (b"", "no TLS hello came"),
    ],
)
def test_not_one_byte_goes_out_before_tls_is_meant_for_the_same_host(
    bench: Bench, first: bytes, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "STEP_TIMEOUT", 1.0)
    bench.names.answers = [(LISTENER,)]
    assert bench.say(CONNECT + first) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    told = one(bench)
    assert (told.allowed, told.sent, told.address) == (False, 0, LISTENER)
    assert why in told.why
    assert bench.listener.gone.wait(20)
    assert (bench.listener.callers, bench.listener.heard) == (1, b"")


@pytest.mark.program
def test_a_hello_in_pieces_and_in_records_is_understood_and_arrives_as_it_was_sent(
    bench: Bench,
) -> None:
    bench.names.answers = [(LISTENER,)]
    real = hello(HOST)
    sent = b"\x16\x03\x01\x00\x09" + real[5:14] + b"\x16\x03\x01"
    sent += (len(real) - 14).to_bytes(2, "big") + real[14:]
    with bench.connect() as sock:
        sock.sendall(CONNECT + sent[:3])
        assert b" 200 " in sock.recv(100)
        for at in range(3, len(sent)):
            sock.sendall(sent[at : at + 1])
            if at < 40:
                time.sleep(0.001)  # so that some arrive apart
        sock.sendall(b"and more")
        sock.shutdown(socket.SHUT_WR)
        assert bench.listener.gone.wait(20)
    assert bench.listener.heard == sent + b"and more"
    assert one(bench).sent == len(sent) + 8


@pytest.mark.program
def test_a_server_may_ask_for_a_second_hello_and_gets_it_for_the_same_host(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A curve that no client offers a key for at once: real TLS 1.3 with a real second hello."""
    seconds: list[str] = []
    read = clienthello.read_hello

    def read_hello(data: bytes) -> clienthello.Hello | None:
        found = read(data)
        seconds.append(found.name if found else "")
        return found

    monkeypatch.setattr(clienthello, "read_hello", read_hello)  # the proxy has the first's own
    bench.internet.ask_for_another_curve()
    assert bench.fetch() == b"took 0"
    # A client that has its answer may hang up before the server's last words.
    assert one(bench).why in {
        "",
        "connection broken: Broken pipe",
        "connection broken: Connection reset by peer",
    }
    assert one(bench).allowed
    assert seconds == [HOST]


@pytest.mark.program
def test_a_second_hello_for_another_host_is_cut_off_before_it_is_whole(bench: Bench) -> None:
    bench.names.answers = [(LISTENER,)]
    first, second = hello(HOST), hello("evil.example.org")
    with bench.connect() as sock:
        sock.sendall(CONNECT + first)
        assert b" 200 " in sock.recv(100)
        sock.sendall(b"\x14\x03\x03\x00\x01\x01" + second)
        assert everything(sock) == b""
    assert bench.listener.gone.wait(20)
    assert b"evil" not in bench.listener.heard
    assert "second TLS hello for another host" in one(bench).why


@pytest.mark.program
def test_what_is_smuggled_behind_a_request_is_the_tunnels_and_judged_as_such(
    bench: Bench,
) -> None:
    bench.names.answers = [(LISTENER,)]
    second = b"CONNECT evil.example.org:443 HTTP/1.1\r\nHost: evil.example.org\r\n\r\n"
    assert bench.say(CONNECT + second).count(b"HTTP/1.1") == 1
    assert "not TLS" in one(bench).why
    assert bench.listener.gone.wait(20)
    assert bench.listener.heard == b""


@pytest.mark.program
def test_a_request_that_trickles_in_is_given_up(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress, "STEP_TIMEOUT", 0.5)
    with bench.connect() as sock:
        with contextlib.suppress(BrokenPipeError):
            for byte in CONNECT * 10:
                sock.sendall(bytes([byte]))
                time.sleep(0.05)
        answer = everything(sock)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert "took more than 0.5 s" in one(bench).why


@pytest.mark.program
def test_a_flood_of_connections_is_refused_and_room_comes_back(bench: Bench) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(egress.MAX_CONCURRENT):
            held.enter_context(bench.connect()).sendall(b"CONNECT ")
        assert b"more than 64 connections at once" in bench.say(CONNECT)
    deadline = time.monotonic() + 20
    while (answer := bench.fetch()).startswith(b"HTTP/1.1 503") and time.monotonic() < deadline:
        time.sleep(0.05)
    assert answer == b"took 0"


@pytest.mark.program
def test_a_job_that_connects_without_end_has_no_network_any_more(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(egress, "MAX_CONNECTIONS", 5)
    proxy = Proxy(ALLOWED, tmp_path / "few", bench.internet.reached_by(bench.names))
    proxy.begin()
    bench.proxy.close()
    bench.proxy = proxy
    for _ in range(5):
        assert bench.fetch() == b"took 0"
    until(lambda: len(proxy._log.report()) == 6)
    told = proxy._log.report()
    with pytest.raises(ConnectionRefusedError):
        bench.connect()
    assert "more than 5 connections" in told[-1].why


@pytest.mark.program
def test_a_job_that_sends_or_receives_more_than_it_may_is_cut_off_for_good(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_record, "MAX_SENT", 300_000)
    with contextlib.suppress(OSError):
        assert bench.fetch(body=b"y" * 2_000_000) == b""
    assert b"403 Forbidden: the job has passed its limit of bytes" in bench.fetch()
    first, second = bench.told()
    assert "more bytes than a job may pass" in first.why
    assert 300_000 < first.sent < 400_000
    assert (second.allowed, second.sent, second.received) == (False, 0, 0)
    assert bench.names.asked == [HOST]


@pytest.mark.program
def test_a_tunnel_in_which_nothing_passes_is_closed(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "IDLE_TIMEOUT", 0.3)
    bench.names.answers = [(LISTENER,)]
    with bench.connect() as sock:
        sock.sendall(CONNECT + hello(HOST))
        everything(sock)
    assert "no byte for 0.3 s" in one(bench).why


@pytest.mark.program
def test_when_the_job_ends_every_connection_ends_and_the_socket_is_gone(bench: Bench) -> None:
    bench.names.answers = [(LISTENER,)]
    with bench.connect() as idle, bench.connect() as open_:
        open_.sendall(CONNECT + hello(HOST))
        assert b" 200 " in open_.recv(100)
        until(lambda: bench.listener.heard)
        told = bench.told()
        assert (everything(idle), everything(open_)) == (b"", b"")
    assert [one.allowed for one in told] == [False, True]
    assert bench.listener.gone.wait(20)
    assert not bench.proxy.path.exists()
    with pytest.raises(OSError, match=r"No such file"):
        bench.connect()
    assert bench.told() == told


@pytest.mark.program
def test_a_record_has_an_end_and_the_sums_of_what_is_beyond_it(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(egress_record, "MAX_LISTED", 2)
    for _ in range(4):
        assert bench.fetch() == b"took 0"
    for _ in range(3):
        bench.say(b"GET / HTTP/1.1\r\n\r\n")
    told = bench.told()
    assert [(one.allowed, one.count) for one in told] == [
        *((True, 1), (True, 1)),
        *((True, 2), (False, 3)),
    ]
    assert told[2].sent > told[0].sent


@pytest.mark.program
def test_an_error_that_leaves_a_job_without_a_result_tells_what_went_out_before(
    bench: Bench,
) -> None:
    bench.fetch()
    bench.say(b"GET / HTTP/1.1\r\n\r\n")
    error = SandboxFailed("broken", why="because")
    bench.proxy.__exit__(SandboxFailed, error, None)
    assert error.why.startswith(
        "because; connections until then: 1 allowed (api.example.org:443), 1"
    )


@pytest.mark.program
def test_hostile_text_in_a_request_or_a_tls_name_is_plain_in_the_record(bench: Bench) -> None:
    bench.say(b"CONNECT \x1b]52;c;\x07\xe2\x80\xae:443 HTTP/1.0\r\n\r\n")
    bench.say(CONNECT + hello("x--\x1b[2J.example.org".replace("\x1b", "^")))
    for told in bench.told():
        assert (told.host + told.why).isprintable()
        assert "\x1b" not in json.dumps([told.host, told.why])


def test_a_socket_that_cannot_be_made_stops_the_job_before_it_begins(tmp_path: Path) -> None:
    deep = tmp_path / ("x" * 120)
    with pytest.raises(ControlUnavailable, match="socket cannot be made") as caught:
        Proxy(ALLOWED, deep, egress_world.Dialer())
    assert "TMPDIR" in caught.value.todo
    with pytest.raises(ControlUnavailable, match="socket cannot be made"):
        Proxy(ALLOWED, tmp_path / "no folder" / "s", egress_world.Dialer())


@pytest.mark.program
def test_the_longest_name_that_a_policy_can_allow_is_reached(
    internet: Internet, tmp_path: Path
) -> None:
    host = ".".join(["a" * 60] * 4) + ".org"
    internet.listener.heard = b""
    internet.listener.gone.clear()
    proxy = Proxy((f"{host}:443",), tmp_path / "s", internet.reached_by(lambda _: (LISTENER,)))
    proxy.begin()
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(proxy.path))
        sock.sendall(f"CONNECT {host}:443 HTTP/1.0\r\n\r\n".encode() + hello(host))
        sock.shutdown(socket.SHUT_WR)
        everything(sock)
    assert internet.listener.gone.wait(20)
    (told,) = proxy.close()
    assert told.allowed
    assert len(internet.listener.heard) == told.sent > len(host)


def test_the_machines_resolver_is_asked_for_the_whole_name_and_no_search_domain(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[object] = []

    def answer(host: object, *_: object, **__: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, 1, 6, "", (SERVER, 443))] * 2

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    assert egress_world.look_up(HOST) == (SERVER,)
    assert asked == [b"api.example.org."]


@pytest.mark.program
def test_a_certificate_of_another_host_is_for_the_client_to_refuse(bench: Bench) -> None:
    """The proxy reads no certificate: who speaks TLS checks it, end to end."""
    with bench.connect() as sock:
        sock.sendall(CONNECT)
        sock.recv(100)
        with pytest.raises(ssl.SSLCertVerificationError):
            ssl.create_default_context().wrap_socket(sock, server_hostname=HOST)


def test_the_bounds_in_the_documentation_are_the_programs_own() -> None:
    page = (shipped_root() / "docs" / "sandbox.md").read_text("utf-8")
    words = " ".join(page.split())
    for phrase in (
        f"{egress.MAX_CONCURRENT} connections at once, {egress.MAX_CONNECTIONS:,} in all",
        f"{MAX_HEAD >> 10} KiB and ten seconds for a request",
        f"within {clienthello.MAX_HELLO >> 10} KiB",
        f"{egress_record.MAX_SENT >> 20} MiB sent and {egress_record.MAX_RECEIVED >> 30} GiB",
    ):
        assert phrase in words
    assert (connection.STEP_TIMEOUT, egress_world._DIAL_TIME) == (10, 10)
    assert (connection.IDLE_TIMEOUT, egress._MOST_DIALLED) == (300, 4)
