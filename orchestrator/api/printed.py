"""What each experiment printed, as a file beside its results: ``run_N/printed.txt``.

It is made from the record like a page, and is no file of the study: no container and no prompt gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.core.files import write
from orchestrator.core.job import Job, JobResult
from orchestrator.core.sanitize import plain
from orchestrator.record.calls import Step, steps
from orchestrator.record.journal import Journal
from orchestrator.record.paths import IdeaPaths

PRINTED = "printed.txt"
_OUT = re.compile(r"--out_dir=(run_\d{1,4})")


def write_printed(output: IdeaPaths, journal: Journal, run: Journal | None) -> None:
    """Write what the last container of each run of an idea printed; ``run`` has the shared baseline's. A file of
    a run that a fork left is removed.
    """
    every = (*(steps(run) if run is not None else ()), *steps(journal))
    made = {name: text for step in every for name, text in _printed(step)}
    for name, text in made.items():
        write(output.folder / name / PRINTED, text)
    for old in output.folder.glob(f"run_*/{PRINTED}"):
        if old.parent.name not in made:
            old.unlink()


def _printed(step: Step) -> Iterator[tuple[str, str]]:
    """(folder, text) of an experiment's container that ended."""
    if not (isinstance(step.request, Job) and isinstance(step.answer, JobResult)):
        return
    found = _OUT.fullmatch(step.request.argv[-1]) if step.request.kind == "experiment" else None
    if found is None:
        return
    result = step.answer
    parts = [f"{step.place}: {result.verdict}, exit code {result.exit_code}\n"]
    for name, text in (("standard output", result.stdout), ("standard error", result.stderr)):
        if text:
            shown = plain(text, limit=len(text))
            parts.append(f"--- {name}, its end as recorded ---\n{shown.rstrip(chr(10))}\n")
    yield found[1], "\n".join(parts)
