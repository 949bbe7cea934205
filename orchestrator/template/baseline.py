"""A cached baseline: ``run_0`` of a template, measured on one machine, from which runs can start.

It is the complete result of one container's job, with its attestation. A run may start from it only
if its own baseline would be the same job, in the same image, under the same policy: then the
``key`` is equal. Times are wall time in seconds, memory in bytes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic import TypeAdapter, ValidationError

from orchestrator.core.errors import BadFile
from orchestrator.core.job import Job, JobResult, Verdict
from orchestrator.core.research import BASELINE, Run
from orchestrator.core.tree import Tree, digest

FORM = 1
_SHAPE = re.compile(r"[0-9]+")
OUTPUT_TAIL = 1500  # characters of one stream
_AGAIN = "remove its folder, then: aisci template baseline TEMPLATE"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBaseline:
    """One baseline. ``machine`` is a description; ``seeds`` are the manifest's, by data set."""

    form: int
    key: str
    template: str
    template_hash: str
    scale: str
    policy: str
    image: str
    program: str
    machine: str
    at: str
    seeds: Mapping[str, tuple[int, ...]]
    result: JobResult

    @property
    def seconds(self) -> float:
        return self.result.attestation.peaks.wall


_KEPT = TypeAdapter(KeptBaseline)


def finished_run(
    number: int,
    code: Tree,
    result: JobResult,
    *,
    name: str,
    description: str,
    attempts: int,
    base: int = 0,
) -> Run:
    """The run ``number`` of the experiment ``code``, as a finished job measured it."""
    peaks = result.attestation.peaks
    return Run(
        number=number,
        code=code,
        files=result.files.under(f"run_{number}"),
        description=description,
        attempts=attempts,
        seconds=peaks.wall,
        name=name,
        base=base,
        memory=peaks.memory,
        output=output_tail(result),
    )


def baseline_run(job: Job, result: JobResult) -> Run:
    """``run_0``: the unchanged template."""
    return finished_run(
        0, job.files, result, name=BASELINE, description="the template as it is", attempts=1
    )


def how_it_ended(result: JobResult) -> str:
    """The verdict, and the exit code or the signal of a program that one ended."""
    code = result.exit_code
    if not code or result.verdict is not Verdict.FAILED:
        return str(result.verdict)
    signal = f", killed by signal {code - 128}" if 128 < code < 160 else ""
    return f"{result.verdict} (exit code {code}{signal})"


def output_tail(result: JobResult) -> str:
    """The end of what the program printed, a progress bar as its last state."""
    return "\n".join(filter(None, (shown_output(text) for text in (result.stdout, result.stderr))))


def shown_output(text: str) -> str:
    """The last ``OUTPUT_TAIL`` characters as a terminal shows them: a line that was written over
    again and again appears once, and of lines that differ in their numbers alone the last.
    """
    lines = [line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n")]
    kept = [
        line
        for line, after in zip(lines, [*lines[1:], ""], strict=True)
        if not line.strip() or _SHAPE.sub("0", line) != _SHAPE.sub("0", after)
    ]
    return "\n".join(kept)[-OUTPUT_TAIL:].strip()


def key_of(job: Job, image: str, policy: str) -> str:
    """Equal for equal jobs in the same image under the policy of the same hash."""
    return digest({"job": digest(replace(job, scope="")), "image": image, "policy": policy})


def baseline_json(kept: KeptBaseline) -> bytes:
    """The bytes of ``kept`` for :func:`read_baseline`."""
    return _KEPT.dump_json(kept, indent=1)


def read_baseline(data: bytes, where: str) -> KeptBaseline:
    """The baseline in ``data``. Raises :class:`BadFile` if this version did not write it."""
    try:
        kept = _KEPT.validate_json(data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise BadFile(
            "a cached baseline cannot be read",
            where=where,
            why=f"this version writes another value at {'.'.join(map(str, first['loc'])) or 'the top'}",
            todo=_AGAIN,
        ) from error
    if kept.form != FORM:
        raise BadFile(
            "a cached baseline has the format of another program version",
            where=where,
            why=f"its format is {kept.form}; this version reads {FORM}",
            todo=_AGAIN,
        )
    return kept
