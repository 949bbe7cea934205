"""Short ideas in flight on one GPU: how busy it is, over time.

``python -m tests.support.gpu_bench TEMPLATE POLICY SCALE IDEAS PARALLEL SECONDS`` runs ``builtin/sweep`` without
papers on this machine's engine; each answer of the model takes SECONDS more, as a vendor's would. It prints one
JSON line. Edits are applied by the shipped scripted editor, so that the editor's image is not needed: it
never holds a GPU.
"""

from __future__ import annotations

import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from orchestrator.api.adapters import real_edges
from orchestrator.api.export import FileExporter
from orchestrator.api.images import resolve_images
from orchestrator.api.prepare import RunRequest, prepare
from orchestrator.core.deadline import Deadline
from orchestrator.core.model import Ask, Reply, Usage
from orchestrator.core.protocols import LanguageModel
from orchestrator.record.blobs import BlobStore
from orchestrator.record.journal import Mode
from orchestrator.record.ports import Edges
from orchestrator.research.run import research
from orchestrator.research.run_spec import RunDeps, RunLocation
from orchestrator.sandbox.engine.client import connect
from tests.support.run_rig import asking_editor, place

EVERY = 0.2  # seconds between two readings of the driver
ROWS = 40  # of the series that is kept


class SlowModel:
    """A model whose answers take ``seconds`` more."""

    def __init__(self, model: LanguageModel, seconds: float) -> None:
        self.name, self._model, self._seconds = model.name, model, seconds
        self.calls = 0

    def ceiling(self, ask: Ask) -> Usage:
        return self._model.ceiling(ask)

    def complete(self, ask: Ask, within: Deadline) -> Reply:
        self.calls += 1
        time.sleep(self._seconds)
        return self._model.complete(ask, within)


@dataclass
class Held:
    """When each job held its GPUs, and what the driver said meanwhile; seconds since ``began``."""

    began: float = field(default_factory=time.monotonic)
    spans: dict[str, list[float]] = field(default_factory=dict)
    seen: list[tuple[float, int, int]] = field(default_factory=list)  # when, busy %, bytes
    at_once: int = 0

    def on_event(self, name: str, facts: Mapping[str, Any]) -> None:
        now = time.monotonic() - self.began
        if name == "started" and facts["gpus"]:
            self.spans[facts["job"]] = [now]
        elif name == "ended" and facts["job"] in self.spans:
            self.spans[facts["job"]].append(now)
        out = sum(len(span) == 1 for span in self.spans.values())
        self.at_once = max(self.at_once, out)


@contextmanager
def watched(held: Held) -> Iterator[None]:
    """Read the first GPU every :data:`EVERY` seconds, where there is one."""
    import pynvml  # noqa: PLC0415  # as in the sandbox: only machines with a GPU need it

    nvml: Any = pynvml
    over = threading.Event()
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        yield
        return
    handle = nvml.nvmlDeviceGetHandleByIndex(0)

    def read() -> None:
        while not over.wait(EVERY):
            busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu
            used = nvml.nvmlDeviceGetMemoryInfo(handle).used
            held.seen.append((time.monotonic() - held.began, int(busy), int(used)))

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        over.set()
        reader.join()


def measured(request: RunRequest, seconds: float) -> dict[str, Any]:
    """One run: its wall, the share of it in which the GPU was lent, how busy the driver saw it."""
    engine, held, slow = connect(), Held(), list[SlowModel]()
    spec = prepare(request).setup
    spec = replace(spec, images=resolve_images(spec.policy, engine))
    with real_edges(spec, engine, "gpu-bench", held.on_event) as over:

        def edges(blobs: BlobStore) -> Edges:
            real = over(blobs)
            slow.append(SlowModel(real.model, seconds))
            return replace(real, model=slow[-1], editor=asking_editor(blobs))

        held.began = time.monotonic()
        with watched(held):
            done = research(
                spec,
                place_of(request),
                RunDeps(edges=edges, exporter=FileExporter(), listener=lambda _: None),
            )
            wall = time.monotonic() - held.began
    assert all(one.status == "finished" for one in done), [one.failure for one in done]
    return told(held, wall) | {"answers": sum(one.calls for one in slow)}


def place_of(request: RunRequest) -> RunLocation:
    """Where the run is, with as many ideas in flight as were asked for."""
    return replace(place(request.results / "run", Mode.RECORD), parallel=request.parallel or 1)


def told(held: Held, wall: float) -> dict[str, Any]:
    """The figures of one run; the series has :data:`ROWS` means of equal length."""
    spans = sorted(span for span in held.spans.values() if len(span) == 2)
    ahead = spans[1:] or spans  # the baseline is before every idea
    first = ahead[0][0] if ahead else 0.0
    lent = sum(end - start for start, end in ahead)
    step = wall / ROWS

    def mean(of: Callable[[tuple[float, int, int]], float], at: int) -> float | None:
        values = [of(one) for one in held.seen if at * step <= one[0] < (at + 1) * step]
        return round(fmean(values), 2) if values else None  # nothing was read

    return {
        "wall": round(wall, 1),
        "jobs": len(spans),
        "most_at_once": held.at_once,
        "lent_of_the_time": round(lent / (wall - first), 3) if ahead else 0.0,
        "busy_percent": [mean(lambda one: one[1], at) for at in range(ROWS)],
        "gpu_gib": [mean(lambda one: one[2] / 2**30, at) for at in range(ROWS)],
        "lent": [[round(moment, 1) for moment in span] for span in spans],
    }


def main() -> None:
    template, policy, scale, ideas, parallel, seconds = sys.argv[1:7]
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(
            template=template,
            policy=policy,
            scale=scale,
            ideas=int(ideas),
            parallel=int(parallel),
            leave_out="paper",
            results=Path(folder),
        )
        row = {"template": Path(template).name, "scale": scale, "ideas": int(ideas)}
        row |= {"parallel": int(parallel), "seconds_an_answer": float(seconds)}
        print(json.dumps(row | measured(request, float(seconds))))


if __name__ == "__main__":
    main()
