"""The inner half of the allow-list: TCP on the container's loopback to the host's proxy socket.

The gate starts this before the job, when the policy has an allow-list, and waits until it
listens; it then lives on in the background, as the job's own user and inside the job's limits.
It decides nothing and is trusted with nothing: the host's proxy judges every byte. A job that
ends it has no network any more. Standard library only; one process, one thread.

    python3 -I -S forward.py PORT SOCKET
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import sys

MOST = 48  # connections at once; each takes two of the container's open files
STEP = 1 << 16  # bytes that wait on their way, each direction of each connection


class End:
    """One end of a connection: its socket, the other end, what waits to be written here."""

    def __init__(self, sock: socket.socket) -> None:
        sock.settimeout(0)
        self.sock = sock
        self.other = self
        self.waiting = b""
        self.read_all = self.shut = False

    def wants(self) -> int:
        """What to be woken for: reading stops while the other end has not taken the last."""
        reads = not self.read_all and not self.other.waiting
        return (selectors.EVENT_READ if reads else 0) | (selectors.EVENT_WRITE * bool(self.waiting))


class Forwarder:
    """Pairs of ends, and the listener that makes them."""

    def __init__(self, listener: socket.socket, path: str) -> None:
        self.listener, self.path = listener, path
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.pairs = 0

    def serve(self) -> None:
        """Until the container ends."""
        while True:
            for key, events in self.selector.select():
                if key.data is None:
                    self.accept()
                elif key.data.sock.fileno() >= 0:  # its pair may have been closed just now
                    self.move(key.data, events)

    def accept(self) -> None:
        """One more pair; with too many, or no file left to open, none until one is closed."""
        try:
            with contextlib.ExitStack() as undo:
                inner = End(undo.enter_context(self.listener.accept()[0]))
                outer = End(undo.enter_context(socket.socket(socket.AF_UNIX)))
                outer.sock.connect(self.path)
                undo.pop_all()
        except OSError:  # the host has stopped listening, or the job's limits are used up
            return self.pause()
        inner.other, outer.other = outer, inner
        self.selector.register(inner.sock, selectors.EVENT_READ, inner)
        self.selector.register(outer.sock, selectors.EVENT_READ, outer)
        self.pairs += 1
        if self.pairs >= MOST:
            self.pause()
        return None

    def pause(self) -> None:
        """Listen no more for now; without any pair nobody would wake it again, so it goes on."""
        if self.pairs and self.listener in self.selector.get_map():
            self.selector.unregister(self.listener)

    def move(self, end: End, events: int) -> None:
        """Take what has come, hand on what waits."""
        try:
            with contextlib.suppress(BlockingIOError):
                if events & selectors.EVENT_READ and not end.other.waiting:
                    end.other.waiting = end.sock.recv(STEP)
                    end.read_all = not end.other.waiting
            with contextlib.suppress(BlockingIOError):
                if events & selectors.EVENT_WRITE and end.waiting:
                    end.waiting = end.waiting[end.sock.send(end.waiting) :]
            for one in (end, end.other):
                if one.other.read_all and not one.waiting and not one.shut:
                    one.shut = True
                    one.sock.shutdown(socket.SHUT_WR)
        except OSError:
            return self.close(end)
        if end.shut and end.other.shut:
            return self.close(end)
        self.watch(end)
        self.watch(end.other)
        return None

    def watch(self, end: End) -> None:
        """Wake for what this end wants now; for nothing, it is not watched at all."""
        watched, wants = end.sock in self.selector.get_map(), end.wants()
        if watched and wants:
            self.selector.modify(end.sock, wants, end)
        elif watched:
            self.selector.unregister(end.sock)
        elif wants:
            self.selector.register(end.sock, wants, end)

    def close(self, end: End) -> None:
        """Let go of both ends, and listen again."""
        for one in (end, end.other):
            if one.sock in self.selector.get_map():
                self.selector.unregister(one.sock)
            one.sock.close()
        self.pairs -= 1
        if self.listener not in self.selector.get_map():
            self.selector.register(self.listener, selectors.EVENT_READ)


def main() -> None:
    """Listen, then go into the background, so that who waits for this process may begin."""
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=128)
    listener.settimeout(0)
    if os.fork():
        return
    nothing = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nothing, standard)
    Forwarder(listener, sys.argv[2]).serve()


if __name__ == "__main__":
    main()
