"""Reads the server name from the first bytes of a TLS connection, and nothing else.

The bytes come from a hostile program. So every length is checked, a message in several records
is reassembled, at most :data:`MAX_HELLO` bytes in :data:`_MOST_RECORDS` records are read,
nothing is raised, and what is unusual is refused. An encrypted hello (ECH, also the fake one that
browsers send) is refused: the real name would be hidden inside it. So is early data, which could
hide a second hello; a second hello, which a server may ask for, must name the same host.

Sources: RFC 8446 sections 2.3, 4.1.2, 4.1.4, 5.1 and D.4, RFC 6066 section 3, RFC 9849 (ECH).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

MAX_HELLO = 16 << 10  # bytes until the hello's end, heads of records included
_MOST_RECORDS = 16
_CHANGE_CIPHER, _ALERT, _HANDSHAKE = 20, 21, 22
_CLIENT_HELLO, _SERVER_NAME, _HOST_NAME = 1, 0, 0
_IN_PLAIN = {_CHANGE_CIPHER: 1, _ALERT: 2}  # their lengths in bytes, as long as nothing is secret
_MOST_IN_PLAIN = 32  # of these records; a client has use for one or two, and each costs the host
_UNWANTED = {
    0xFE0D: "that hides its name (ECH)",
    0xFFCE: "that hides its name (ESNI)",
    42: "with data before the server's answer",
}


@dataclass(frozen=True, slots=True)
class Hello:
    """The name that a client asks for; refused where ``why`` says so. ``name`` is hostile text.

    ``end`` is the offset in bytes at which the hello's last record ends.
    """

    name: str = ""
    why: str = ""
    end: int = 0


def read_hello(data: bytes) -> Hello | None:
    """The hello at the beginning of ``data``; None while it is incomplete.

    Once this is not None for some bytes it stays the same, whatever follows them.
    """
    message, at = b"", 0
    for _ in range(_MOST_RECORDS):
        record = data[at : at + 5]
        why = _why_record(record, at)
        if why:
            return Hello(why=why)
        if len(record) < 5:
            return None
        length = int.from_bytes(record[3:5], "big")
        message += data[at + 5 : at + 5 + length]
        at += 5 + length
        whole = 4 + int.from_bytes(message[1:4], "big") if len(message) >= 4 else None
        why = _why_message(message, whole)
        if why:
            return Hello(why=why)
        if len(data) < at:
            return None
        if len(message) == whole:
            return replace(_parsed(message[4:]), end=at)
    return Hello(why="a TLS hello in too many records")


class LaterRecords:
    """Checks a client's records after its first hello, until encrypted ones begin.

    It must get every byte before that byte is passed on; a hello takes effect with its last one.
    """

    def __init__(self, name: str) -> None:
        self._name, self._data, self._over = name, b"", False
        self._in_plain = 0

    def why(self, more: bytes) -> str:
        """Why what came so far must not be passed on; empty if it may be."""
        if self._over:
            return ""
        self._data += more
        while len(self._data) >= 6 and not self._over:
            kind, length = self._data[0], int.from_bytes(self._data[3:5], "big")
            if _IN_PLAIN.get(kind) == length:
                if len(self._data) < 5 + length:
                    return ""
                self._data = self._data[5 + length :]
                self._in_plain += 1
                if self._in_plain > _MOST_IN_PLAIN:
                    return "TLS that says nothing, again and again"
            elif kind == _HANDSHAKE and (not length or self._data[5] == _CLIENT_HELLO):
                hello = read_hello(self._data)
                if hello is None:
                    return ""
                if hello.why or hello.name != self._name:
                    return hello.why or "a second TLS hello for another host"
                self._over = True
            else:
                self._over = True
        if self._over:
            self._data = b""
        return ""


def _why_record(record: bytes, at: int) -> str:
    """Why these bytes, even if incomplete, do not begin a handshake record."""
    if record[:2] != bytes((_HANDSHAKE, 3))[: len(record)]:
        return "not TLS"
    if len(record) == 5:
        length = int.from_bytes(record[3:5], "big")
        if not length:
            return "an empty TLS record"
        if at + 5 + length > MAX_HELLO:
            return f"a TLS hello of more than {MAX_HELLO} bytes"
    return ""


def _why_message(message: bytes, whole: int | None) -> str:
    """Why these bytes, even if incomplete, are not exactly one client hello."""
    if message and message[0] != _CLIENT_HELLO:
        return "TLS that does not begin with a client's hello"
    if whole is not None and whole > MAX_HELLO:
        return f"a TLS hello of more than {MAX_HELLO} bytes"
    if whole is not None and len(message) > whole:
        return "more in a TLS record than the hello"
    return ""


class _Reader:
    """Takes length-prefixed pieces from bytes; ValueError where there are too few."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, count: int) -> bytes:
        if count > len(self.rest):
            raise ValueError("a length that does not fit")
        piece, self.rest = self.rest[:count], self.rest[count:]
        return piece

    def counted(self, size: int) -> bytes:
        """A piece after its own length of ``size`` bytes."""
        return self.take(int.from_bytes(self.take(size), "big"))


def _parsed(body: bytes) -> Hello:
    """A whole hello, without its header of four bytes."""
    try:
        reader = _Reader(body)
        reader.take(2 + 32)  # version and random
        reader.counted(1)  # session
        reader.counted(2)  # ciphers
        reader.counted(1)  # compression
        extensions = _Reader(reader.counted(2) if reader.rest else b"")
        if reader.rest:
            return Hello(why="a TLS hello with something after its end")
        found: dict[int, bytes] = {}
        while extensions.rest:
            kind, content = int.from_bytes(extensions.take(2), "big"), extensions.counted(2)
            if kind in found:
                return Hello(why="a TLS hello that says something twice")
            found[kind] = content
        return _named(found)
    except ValueError:
        return Hello(why="a TLS hello that is broken")


def _named(extensions: dict[int, bytes]) -> Hello:
    """The one name among the extensions. Raises ValueError where a length does not fit."""
    for kind, what in _UNWANTED.items():
        if kind in extensions:
            return Hello(why=f"a TLS hello {what}")
    if _SERVER_NAME not in extensions:
        return Hello(why="a TLS hello that names no server")
    reader = _Reader(extensions[_SERVER_NAME])
    names = _Reader(reader.counted(2))
    kind, name = names.take(1)[0], names.counted(2)
    if reader.rest or names.rest or kind != _HOST_NAME or not name:
        return Hello(why="a TLS hello that does not name exactly one server")
    if any(not 0x21 <= byte <= 0x7E for byte in name):
        return Hello(why="a TLS hello with a name that is no host's")
    return Hello(name=name.decode("ascii"))
