"""Progress where nobody watches a terminal: one line for each event that is worth saying."""

from __future__ import annotations

import sys
from typing import Any, TextIO

from orchestrator.console.run_state import Body, Line, Track
from orchestrator.core.sanitize import plain_line


class Lines:
    """A journal listener that writes lines to ``out``; ``since`` is when this process began."""

    def __init__(self, track: Track, body: Body, since: str, out: TextIO | None = None) -> None:
        self._track, self._body, self._since = track, body, since
        self._out = out or sys.stderr

    def __call__(self, line: Line) -> None:
        self._track.take(line)
        text = self._text(line) if line.get("at", "") >= self._since else ""
        if text:
            name = self._track.way(line).name if "scope" in line else "run"
            print(f"{line['at'][11:19]}  {name:<24}  {text}", file=self._out, flush=True)

    def _text(self, line: Line) -> str:
        kind = line["kind"]
        if kind == "run_started":
            pins = line["pins"]
            return plain_line(
                f"{pins['template']['name']} at scale {pins['scale']}, model {pins['model']}, "
                f"policy {pins['policy']['name']}"
            )
        if kind == "idea_started":
            return plain_line(f"idea {line['id']}: {line['idea']['title']}")
        if kind == "answered":
            return self._answered(line)
        return self._noted(line["name"], self._body(line)) if kind == "noted" else ""

    def _answered(self, line: Line) -> str:
        place = plain_line("/".join(line["scope"].split("/")[2:]) or line["scope"])
        if "error" in line:
            error = line["error"]
            return f"{place}: {line['port']}: {error['type']}: {plain_line(error['what'])}"
        value = self._body(line)
        if line["port"] == "sandbox":
            return f"{place}: container {value['verdict']} after {line['seconds']:.1f} s"
        if line["port"] == "editor":
            changed = ", ".join(map(plain_line, value["changed"]))
            done = f"edit changed {changed}" if changed else "no edit"
            said = "" if changed else f": {plain_line(value['why_not'])}"
            return f"{place}: {done} after {line['seconds']:.1f} s{said}"
        return ""

    def _noted(self, name: str, value: Any) -> str:
        if name == "stage":
            return f"stage {plain_line(value['name'])}"
        if name == "failed":
            return plain_line(f"failed in {value['stage']}: {value['error']}: {value['what']}")
        if name == "skipped":
            return plain_line(f"skipped, not novel: {value['why']}")
        if name == "given_up":
            return f"gave up after {value['attempts']} attempts"
        if name == "put_back":
            return plain_line(f"fixed files put back: {', '.join(value['files'])}")
        return "finished" if name == "finished" else ""
