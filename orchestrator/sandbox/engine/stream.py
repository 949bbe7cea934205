"""One container's stdin, stdout and stderr, which the engine carries over one socket."""

from __future__ import annotations

import contextlib
import queue
import select
import socket
import struct
from typing import Any

from orchestrator.core.errors import SandboxFailed
from orchestrator.sandbox.engine.client import Engine, translated

STDOUT, STDERR = 1, 2
_HEAD = struct.Struct(">BxxxL")
_STEP = 1 << 16


class Stream:
    """Attached before the container starts, so that its first byte is read too.

    The engine multiplexes: each frame has a header of eight bytes (which stream, how long). A part
    of a frame is returned as it comes, without collecting the frame, so memory stays small however
    much a container writes.
    """

    def __init__(self, engine: Engine, container: str) -> None:
        params = {"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        with translated("attaching to a container"):
            carrier: Any = engine.api.attach_socket(container, params)
        self._carrier = carrier  # closing or losing it would close the socket
        self._socket: socket.socket = getattr(carrier, "_sock", carrier)
        self._socket.settimeout(None)  # a large write waits until the container reads
        self._head = b""
        self._left = 0
        self._which = STDOUT
        self.ended = False

    def fileno(self) -> int:
        """The socket, for ``select``."""
        return self._socket.fileno()

    def send(self, data: bytes) -> None:
        """Write to the container's stdin. Raises BrokenPipeError once it has ended."""
        try:
            self._socket.sendall(data)
        except ConnectionError as error:
            raise BrokenPipeError("the container has closed its input") from error

    def close_stdin(self) -> None:
        with contextlib.suppress(OSError):  # it may have ended already
            self._socket.shutdown(socket.SHUT_WR)

    def read(self, timeout: float) -> list[tuple[int, bytes]]:
        """The bytes that came, as (stream, bytes); empty if none came in ``timeout`` seconds.

        At the end ``ended`` is set and it returns at once. Output of many small writes is joined, so
        that a container's output costs the host no more than its bytes.
        """
        pieces: list[tuple[int, bytearray]] = []
        while not pieces and not self.ended:
            if not select.select([self._socket], [], [], timeout)[0]:
                break
            try:
                data = self._socket.recv(_STEP)
            except ConnectionError:
                data = b""
            self.ended = not data
            self._parse(memoryview(data), pieces)
        return [(which, bytes(piece)) for which, piece in pieces]

    def _parse(self, data: memoryview, pieces: list[tuple[int, bytearray]]) -> None:
        """Split ``data`` into frames; an incomplete one continues in the next call."""
        while data:
            if self._left:
                content, data = data[: self._left], data[self._left :]
                self._left -= len(content)
                if pieces and pieces[-1][0] == self._which:
                    pieces[-1][1].extend(content)
                else:
                    pieces.append((self._which, bytearray(content)))
                continue
            missing = _HEAD.size - len(self._head)
            self._head, data = self._head + bytes(data[:missing]), data[missing:]
            if len(self._head) == _HEAD.size:
                self._which, self._left = _HEAD.unpack(self._head)
                self._head = b""
                if self._which not in (STDOUT, STDERR):
                    raise SandboxFailed(
                        "the engine sent a stream that is neither stdout nor stderr",
                        where="the output of a container",
                        todo="`aisci resume` runs the job again; report it if it happens again",
                    )

    def close(self) -> None:
        """Close the socket; the container does not notice."""
        # The answer first: Python 3.13 complains of one whose socket was closed under it.
        answer = getattr(self._carrier, "_response", None)
        for part in (answer, self._carrier, self._socket):
            if part is not None:
                with contextlib.suppress(OSError):
                    part.close()


class LineBuffer:
    """A duplex job's standard output, cut into lines by the monitor's thread, taken by the caller's."""

    def __init__(self) -> None:
        self._whole: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._rest: list[bytes] = []
        self._ended = False

    def add(self, piece: bytes) -> None:
        """Add a piece of output of any length."""
        *ends, rest = piece.split(b"\n")
        for end in ends:
            self._whole.put(b"".join((*self._rest, end)))
            self._rest = []
        self._rest.append(rest)

    def end(self) -> None:
        """No more will come; an unfinished line is dropped."""
        self._whole.put(None)

    def take(self, timeout: float) -> bytes | None:
        """The next line; None after ``timeout`` seconds, and always after the end."""
        if self._ended:
            return None
        try:
            line = self._whole.get(timeout=timeout)
        except queue.Empty:
            return None
        self._ended = line is None
        return line
