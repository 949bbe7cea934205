"""``python -m orchestrator.proof.running.victim ORDER``: an orchestrator that waits to be killed.

It runs a job of two minutes, prints ``running`` once that has begun, and is killed by the proof
that started it. ``ORDER`` is JSON: the run's name, the kind of container, its limits, the images
by name.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from orchestrator.core.decode import decode
from orchestrator.core.job import Job, Limits
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.resources import RunResources, SandboxPool
from orchestrator.sandbox.sandbox import DockerSandbox


def main() -> None:
    """Run the job; it is killed before the end."""
    order = json.loads(sys.argv[1])
    engine, images = connect(), order["images"]
    limits, kind, sleep = decode(Limits, order["limits"]), order["kind"], ("sleep", "120")
    job = Job(scope="prove/killed", kind=kind, argv=sleep, files=Tree(), limits=limits, harvest=())
    folder = Path(tempfile.mkdtemp(prefix="aisci-prove-"))
    resources = RunResources(engine, order["run"], lambda: str(images["aisci-storage"]))
    resources.sentinel.guard(folder)
    store = BlobStore(folder)
    image = images.__getitem__
    pool = SandboxPool(engine, order["run"], image, policy="proof", resources=resources)
    with pool, DockerSandbox(pool, store).open(job) as session:
        print("running", flush=True)  # noqa: T201  # what its starter waits for
        session.wait()


if __name__ == "__main__":
    main()
