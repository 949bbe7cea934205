"""One request ends in time, whatever the other side does, and never carries a key elsewhere."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from orchestrator.literature.engines.http import MOST_ANSWER, Call, NoAnswer, get
from orchestrator.literature.loopback.server import FAULTS, Fault, Loopback
from tests.support.corpus import corpus
from tests.support.search_rig import raw_server

KEY = "s2-key-0123456789"
ANY = FAULTS["any"]


def refused(address: str, seconds: float = 5.0, key: str = "") -> NoAnswer:
    with pytest.raises(NoAnswer) as caught:
        get(Call(address, headers={"x-api-key": key} if key else {}), seconds)
    assert address.removeprefix("http://") not in caught.value.why
    return caught.value


def slowly(*before: bytes) -> Callable[[socket.socket], None]:
    """Says ``before`` at once, then a letter every 0.05 s, for two seconds at most."""

    def speak(line: socket.socket) -> None:
        line.sendall(b"".join(before))
        for _ in range(40):
            line.sendall(b"a")
            time.sleep(0.05)

    return speak


@pytest.mark.parametrize("fault", ["slow", "drip"])
def test_an_answer_that_hangs_or_drips_ends_at_the_deadline_as_late(fault: str) -> None:
    with Loopback(corpus(), {"arxiv": [ANY[fault]]}) as served:
        assert refused(served.address("arxiv"), 0.4).late


@pytest.mark.parametrize(
    "before",
    [
        b"HTTP/1.1 2",
        b"HTTP/1.1 200 OK\r\nX-Long: ",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n",
    ],
)
def test_a_drip_is_late_wherever_it_begins_and_its_half_is_no_answer(before: bytes) -> None:
    with raw_server(slowly(before)) as address:
        assert refused(address, 0.3).late


def test_a_connection_that_is_cut_is_no_answer_and_not_late() -> None:
    with Loopback(corpus(), {"arxiv": [ANY["cut"]]}) as served:
        error = refused(served.address("arxiv"))
        assert (error.late, error.large) == (False, False)
        assert "cut" in error.why
    for said in (
        b"",
        b"garbage\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
    ):
        with raw_server(lambda line, said=said: line.sendall(said)) as address:  # type: ignore[misc]
            assert not refused(address).late


def test_an_answer_is_read_up_to_a_size() -> None:
    with Loopback(corpus(), {"arxiv": [ANY["huge"]]}) as served:
        assert refused(served.address("arxiv")).large
    half = Fault(status=200, body=b"x" * 1024, times=MOST_ANSWER // 1024)
    with Loopback(corpus(), {"arxiv": [half]}) as served:
        assert len(get(Call(served.address("arxiv")), 5).body) == MOST_ANSWER


def test_nobody_at_the_address_and_a_name_that_nobody_knows_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    assert refused(f"http://127.0.0.1:{port}").why == "connection refused"

    def unknown(*_: object, **__: object) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert "name is not known" in refused("http://nobody.invalid").why


def test_a_resolver_that_hangs_is_not_waited_for_and_nothing_is_sent_once_it_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    go_on, answered, resolve = threading.Event(), threading.Event(), socket.getaddrinfo

    def slow(*asked: Any, **more: Any) -> Any:
        go_on.wait(10)
        answered.set()
        return resolve(*asked, **more)

    with Loopback(corpus()) as served:
        monkeypatch.setattr(socket, "getaddrinfo", slow)
        assert refused(served.address("arxiv"), 0.1).late
        assert not answered.is_set()
        go_on.set()
        answered.wait(10)
        time.sleep(0.2)  # a request that is sent all the same would be here by now
        assert served.requests == []


def test_the_connection_is_closed_at_the_deadline() -> None:
    sent, ended = [], threading.Event()

    def drip(line: socket.socket) -> None:
        try:
            line.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            for _ in range(100):
                line.sendall(b"a")
                sent.append(1)
                time.sleep(0.02)
        finally:
            ended.set()

    with raw_server(drip) as address:
        assert refused(address, 0.2).late
        ended.wait(10)
    assert len(sent) < 100


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_another_host_is_not_gone_to_and_never_gets_the_key(status: int) -> None:
    with Loopback(corpus()) as other:
        away = Fault(status=status, headers={"Location": other.address("arxiv")})
        with Loopback(corpus(), {"arxiv": [away]}) as served:
            error = refused(served.address("arxiv"), key=KEY)
        assert "another host" in error.why
        assert other.requests == []


@pytest.mark.parametrize(
    "place", ["ftp://127.0.0.1/x", "file:///etc/passwd", "//elsewhere.invalid/"]
)
def test_no_redirect_leads_to_a_file_or_another_protocol(place: str) -> None:
    away = Fault(status=301, headers={"Location": place})
    with Loopback(corpus(), {"arxiv": [away]}) as served:
        try:
            answer = get(Call(served.address("arxiv")), 5)
        except NoAnswer as error:
            assert "another host" in error.why  # noqa: PT017 - either is right
        else:
            assert (answer.status, answer.body) == (301, b"")


def test_a_redirect_within_the_host_is_followed_with_the_key_and_a_loop_ends() -> None:
    with Loopback(corpus()) as served:
        works = served.address("openalex") + "/works"
        served.faults("openalex", [Fault(status=301, headers={"Location": f"{works}?per_page=1"})])
        answer = get(Call(works + "/W1", headers={"Authorization": f"Bearer {KEY}"}), 5)
        assert answer.status == 200
        assert [one.headers["authorization"] for one in served.requests] == [f"Bearer {KEY}"] * 2
        served.faults("openalex", [Fault(status=301, headers={"Location": works})] * 9)
        assert get(Call(works), 5).status == 301
        assert len(served.requests) < 9


def test_a_header_that_http_cannot_carry_is_refused_without_being_shown() -> None:
    with Loopback(corpus()) as served:
        for key in (f"{KEY}\r\nX-More: 1", f"{KEY}é✓"):
            error = refused(served.address("arxiv"), key=key)
            assert KEY not in error.why
        assert served.requests == []


def test_a_call_shows_no_header() -> None:
    assert KEY not in repr(Call("http://127.0.0.1", (("a", "b"),), {"x-api-key": KEY}))
