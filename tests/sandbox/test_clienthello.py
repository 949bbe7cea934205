"""The name in a TLS hello is found in real ones and refused in all others; nothing raises."""

from __future__ import annotations

import ssl

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orchestrator.sandbox.network.clienthello import MAX_HELLO, Hello, LaterRecords, read_hello
from tests.support.egress_rig import hello

REAL = hello("api.example.org")


def in_records(message: bytes, *sizes: int) -> bytes:
    """The handshake of a hello in records of those sizes, and what is left in a last one."""
    body, out = message[5:], b""
    for size in (*sizes, len(body)):
        piece, body = body[:size], body[size:]
        if piece:
            out += b"\x16\x03\x01" + len(piece).to_bytes(2, "big") + piece
    return out


def extension(kind: int, content: bytes) -> bytes:
    return kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content


def names(*entries: tuple[int, bytes]) -> bytes:
    """A server-name extension."""
    listed = b"".join(bytes([kind]) + len(n).to_bytes(2, "big") + n for kind, n in entries)
    return extension(0, len(listed).to_bytes(2, "big") + listed)


def made(extensions: bytes | None, *, after: bytes = b"", kind: int = 1) -> bytes:
    """A hello of our own with those extensions."""
    body = b"\x03\x03" + bytes(32) + b"\x00" + b"\x00\x02\x13\x01" + b"\x01\x00"
    if extensions is not None:
        body += len(extensions).to_bytes(2, "big") + extensions
    body += after
    message = bytes([kind]) + len(body).to_bytes(3, "big") + body
    return b"\x16\x03\x01" + len(message).to_bytes(2, "big") + message


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_name_in_a_real_hello_is_found(version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context()
    context.maximum_version = version
    data = hello("files.example.org", context=context)
    assert read_hello(data + b"more") == Hello("files.example.org", end=len(data))


def test_a_real_hello_without_a_name_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    assert "names no server" in (read_hello(hello(None, context=context)) or Hello()).why


def test_a_hello_in_several_records_is_put_together() -> None:
    data = in_records(REAL, 1, 1, 1, 1, 40, 7)
    assert read_hello(data) == Hello("api.example.org", end=len(data))


def test_a_hello_in_very_many_records_is_refused() -> None:
    assert "too many records" in (read_hello(in_records(REAL, *[1] * 40)) or Hello()).why


GOOD = names((0, b"api.example.org"))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not TLS"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not TLS"),
        (b"\x80\x2e\x01\x03\x01", "not TLS"),  # the hello of SSL 2
        (b"\x17\x03\x03\x00\x05hello", "not TLS"),
        (b"\x16\x02\x00\x00\x05", "not TLS"),
        (b"\x16\x03\x01\x00\x00", "empty"),
        (b"\x16\x03\x01\xff\xff", "more than"),
        (b"\x16\x03\x01\x00\x04\x01\xff\xff\xff", "more than"),
        (made(GOOD, kind=2), "client's hello"),
        (made(None), "names no server"),
        (made(b""), "names no server"),
        (made(GOOD + extension(0xFE0D, b"\x00")), "hides its name"),
        (made(GOOD + extension(0xFFCE, b"")), "hides its name"),
        (made(GOOD + extension(42, b"")), "before the server's answer"),
        (made(GOOD + names((0, b"evil.example.org"))), "twice"),
        (made(names((0, b"a.example.org"), (0, b"b.example.org"))), "exactly one"),
        (made(names((1, b"api.example.org"))), "exactly one"),
        (made(names((0, b""))), "exactly one"),
        (made(extension(0, b"")), "broken"),
        (made(extension(0, b"\x00\x09\x00\x00\x01a")), "broken"),
        (made(names((0, b"a\x00.example.org"))), "no host's"),
        (made(names((0, "ä.example.org".encode()))), "no host's"),
        (made(GOOD + b"\x00"), "broken"),
        (made(GOOD, after=b"\x00"), "after its end"),
        (made(GOOD)[:-3] + b"\xff\xff\xff", "no host's"),
        (in_records(made(GOOD) + b"\x01\x00\x00\x00"), "more in a TLS record"),
    ],
)
def test_what_is_no_plain_hello_for_one_name_is_refused(data: bytes, why: str) -> None:
    found = read_hello(data)
    assert found is not None
    assert why in found.why
    assert not found.name


CHANGE_CIPHER = b"\x14\x03\x03\x00\x01\x01"
ALERT = b"\x15\x03\x03\x00\x02\x01\x5a"
SECRET = b"\x17\x03\x03\x00\x04data"
KEYS = b"\x16\x03\x03\x00\x04\x10\x00\x00\x00"


def judged(data: bytes, sizes: list[int]) -> str:
    """What the watch over a client's later bytes says, told them in pieces of those sizes."""
    watch = LaterRecords("api.example.org")
    for size in sizes:
        piece, data = data[:size], data[size:]
        if why := watch.why(piece):
            return why
    return watch.why(data)


@pytest.mark.parametrize(
    "data",
    [
        CHANGE_CIPHER + SECRET + hello("evil.org"),  # what is secret cannot be read, nor is it TLS
        KEYS + CHANGE_CIPHER + b"\x16\x03\x03\x00\x04\x01\xff\xff\xff",
        REAL + CHANGE_CIPHER + SECRET,
        CHANGE_CIPHER + REAL + SECRET,
        CHANGE_CIPHER + in_records(REAL, 1, 5, 30) + SECRET,
        b"",
        b"\x16\x03",
    ],
)
@pytest.mark.parametrize("sizes", [[], [1] * 900, [7, 100, 3]])
def test_what_a_client_says_later_in_the_ordinary_course_is_passed_on(
    data: bytes, sizes: list[int]
) -> None:
    assert judged(data, sizes) == ""


@pytest.mark.parametrize(
    "before", [b"", CHANGE_CIPHER, ALERT, CHANGE_CIPHER * 3 + ALERT], ids=range(4)
)
@pytest.mark.parametrize("sizes", [[], [1] * 900, [7, 100, 3]])
def test_a_second_hello_for_another_host_is_caught_before_its_last_byte(
    before: bytes, sizes: list[int]
) -> None:
    for second in (hello("evil.example.org"), in_records(hello("evil.example.org"), 1, 3, 90)):
        assert "another host" in judged(before + second, sizes)
        assert judged(before + second[:-1], sizes) == ""
    assert "names no server" in judged(before + made(b""), sizes)
    assert "hides its name" in judged(before + made(GOOD + extension(0xFE0D, b"")), sizes)
    assert "empty" in judged(before + b"\x16\x03\x03\x00\x00" + REAL, sizes)


@pytest.mark.parametrize("sizes", [[], [1] * 900, [7, 100, 3]])
def test_a_client_that_goes_on_saying_nothing_costs_the_host_little(sizes: list[int]) -> None:
    assert judged((CHANGE_CIPHER + ALERT) * 16 + SECRET, sizes) == ""
    assert "says nothing" in judged(CHANGE_CIPHER * 10_000, sizes)


@given(st.binary(max_size=600), st.lists(st.integers(0, 200), max_size=8))
@example(CHANGE_CIPHER + made(GOOD), [1, 2, 3, 4])
@example(CHANGE_CIPHER * 50, [6, 100])
def test_any_later_bytes_get_the_same_word_however_they_are_split(
    data: bytes, sizes: list[int]
) -> None:
    assert judged(data, sizes) == judged(data, [])


@given(st.binary(max_size=600), st.integers(0, 600))
@example(REAL, 70)
@example(made(GOOD), 11)
def test_any_bytes_give_an_answer_that_no_split_changes(data: bytes, cut: int) -> None:
    whole, part = read_hello(data), read_hello(data[:cut])
    assert part is None or part == whole
    assert whole is None or bool(whole.name) != bool(whole.why)


@given(st.data())
def test_a_real_hello_with_bytes_changed_never_raises_and_never_names_a_host_unseen(
    data: st.DataObject,
) -> None:
    changed = bytearray(REAL)
    for _ in range(data.draw(st.integers(1, 6))):
        changed[data.draw(st.integers(0, len(REAL) - 1))] = data.draw(st.integers(0, 255))
    found = read_hello(bytes(changed))
    assert found is None or bool(found.why) or found.name.encode() in bytes(changed)


def test_endless_bytes_are_judged_after_a_few() -> None:
    record = b"\x16\x03\x01\x04\x00"
    start = b"\x01\x00\x3f\xff" + bytes(1020)
    assert read_hello(record + start + (record + bytes(1024)) * 20) is not None
    assert read_hello(b"\x16\x03\x01\x3f\x00" + start + bytes(MAX_HELLO)) is not None
