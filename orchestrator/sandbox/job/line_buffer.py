"""A job's standard output as lines, passed from the monitor's thread to the caller's."""

from __future__ import annotations

import queue


class LineBuffer:
    """A duplex job's standard output, cut into lines by the monitor and taken by the caller."""

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
