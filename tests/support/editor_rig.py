"""Stands between a test and the editor's worker, in a container or a network-less namespace.

``python -I -c RIG BASE WORKER`` plays one attack after another: lays a hostile tree below
BASE, starts the real worker in it under an audit hook, passes lines both ways (a line of type
``rig`` changes the tree while the worker waits), and reports every file below BASE and every
forbidden thing that the worker's Python was seen to do. Aider is imported once and the worker
forked from there, or started afresh where an attack aims at the start. Standard library only.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import signal
import sys
from pathlib import Path
from typing import IO, Any

FORBIDDEN = (
    "subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "pty.spawn",
    "socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.sendto",
    "webbrowser.", "urllib.Request",
)  # fmt: skip
PATIENCE = 120
"""Seconds after which a worker that hangs is ended by a signal."""


def watch(worker: str, base: str, stock: str) -> None:
    """Become the worker, with every forbidden event noted; ``stock`` takes the guard away."""
    inside = (base + "/tree", base + "/home")
    seen = os.open(base + "/log/seen", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def hook(event: str, args: tuple[object, ...]) -> None:
        foul = event.startswith(FORBIDDEN)
        if event == "open" and isinstance(args[0], str):
            foul = args[0].startswith(base + "/") and not args[0].startswith(inside)
        if foul:
            os.write(seen, (json.dumps([event, repr(args)[:300]]) + "\n").encode())

    sys.argv = [worker]
    if stock:
        sys.path.insert(0, str(Path(worker).parent))
        exec(stock, importlib.import_module("guard").__dict__)
    sys.addaudithook(hook)
    runpy.run_path(worker, run_name="__main__")


def start(worker: str, base: Path, setup: dict[str, Any]) -> tuple[IO[bytes], IO[bytes]]:
    """Start the worker in ``base/tree`` with a bare environment; its stdin and stdout."""
    down, to_worker = os.pipe()
    from_worker, up = os.pipe()
    if os.fork():
        os.close(down)
        os.close(up)
        return os.fdopen(to_worker, "wb"), os.fdopen(from_worker, "rb")
    try:
        os.dup2(down, 0)
        os.dup2(up, 1)
        os.closerange(3, 256)
        os.chdir(base / "tree")
        path = os.environ["PATH"]
        os.environ.clear()
        os.environ.update(PATH=path, HOME=str(base / "home"), LANG="de_DE.UTF-8")
        signal.alarm(PATIENCE)
        if setup["fresh"]:
            source = sys.orig_argv[sys.orig_argv.index("-c") + 1]
            args = [sys.executable, "-I", "-c", source, str(base), worker, setup["stock"]]
            os.execv(sys.executable, args)
        watch(worker, str(base), setup["stock"])
    finally:
        os._exit(1)
    raise AssertionError


def step(base: Path, kind: str, path: str, *more: str) -> None:
    """Change the tree: write, script, symlink, link, fifo or remove."""
    target = base / path
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        target.unlink()
    if kind in {"write", "script"}:
        target.write_text(more[0].replace("BASE", str(base)))
        target.chmod(0o755 if kind == "script" else 0o644)
    elif kind == "symlink":
        target.symlink_to(more[0].replace("BASE", str(base)))
    elif kind == "link":
        os.link(base / more[0], target)
    elif kind == "fifo":
        os.mkfifo(target)
    elif kind != "remove":
        raise ValueError(kind)


def found(base: Path) -> dict[str, str]:
    """What each path below ``base`` is: a file's text, or what else it is."""
    state = {}
    for folder, folders, names in os.walk(base):
        for name in names + [n for n in folders if (Path(folder) / n).is_symlink()]:
            path = Path(folder) / name
            if path.is_symlink():
                what = f"-> {path.readlink()}"
            else:
                what = path.read_text(errors="replace") if path.is_file() else "special"
            state[str(path.relative_to(base))] = what
    return state


def relay(base: Path, to_worker: IO[bytes], from_worker: IO[bytes]) -> None:
    """Carry lines until the worker ends; the test's ``rig`` lines are done here."""
    for said in from_worker:
        sys.stdout.buffer.write(said)
        sys.stdout.buffer.flush()
        if json.loads(said)["type"] != "llm":
            continue
        while True:
            line = sys.stdin.buffer.readline()
            order: dict[str, Any] = json.loads(line)
            if order["type"] != "rig":
                break
            for args in order["steps"]:
                step(base, *args)
        to_worker.write(line)
        to_worker.flush()


def play(base: Path, worker: str, setup: dict[str, Any]) -> dict[str, Any]:
    """One attack; what was there before and after, and what was seen."""
    for folder in ("tree", "home", "log"):
        (base / folder).mkdir(parents=True)
    for args in setup["steps"]:
        step(base, *args)
    before = found(base)
    to_worker, from_worker = start(worker, base, setup)
    to_worker.write(json.dumps(setup["order"]).replace("BASE", str(base)).encode() + b"\n")
    to_worker.flush()
    relay(base, to_worker, from_worker)
    os.wait()
    log = base / "log" / "seen"
    seen = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    after = {path: what for path, what in found(base).items() if not path.startswith("log/")}
    return {"type": "report", "before": before, "after": after, "seen": seen}


def main() -> None:
    """Play attacks until the test closes the pipe."""
    base, worker = Path(sys.argv[1]), sys.argv[2]
    if len(sys.argv) > 3:
        watch(worker, str(base), sys.argv[3])
        return
    sys.path.insert(0, str(Path(worker).parent))
    importlib.import_module("guard")
    for number, line in enumerate(sys.stdin.buffer):
        report = play(base / str(number), worker, json.loads(line))
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
