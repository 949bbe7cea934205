"""What the finished ideas of a recorded run took, read from its journals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import Reply
from orchestrator.core.protocols import Blobs
from orchestrator.core.tree import Tree
from orchestrator.record.blobs import BlobStore
from orchestrator.record.calls import Step, steps
from orchestrator.record.journal import Journal, Mode
from orchestrator.record.notes import IdeaFinished
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins
from orchestrator.research.estimate.idea_use import IdeaUse, StageJobs, StepUse
from orchestrator.research.pins import read_pins, template_of
from orchestrator.template.results import parse_final_info

_RESULTS = "run_0/final_info.json"
_SHORT = 8  # characters: a shorter line stands in any text


def ideas_taken(paths: RunPaths) -> tuple[IdeaUse, ...]:
    """The finished ideas of a run. Raises :class:`BadJournal` for a record that cannot be read."""
    pins = read_pins(paths)
    lines = code_lines(template_of(pins, paths).files)
    blobs = BlobStore(paths.blobs)
    journals = [
        Journal(path, BlobStore(path.parent / "blobs", blobs), Mode.REPLAY)
        for path in sorted(paths.folder.glob(f"*/{paths.journal.name}"))
    ]
    shared = steps(Journal(paths.journal, blobs, Mode.REPLAY))
    made = [
        (one, notes[-1])
        for one in journals
        if (notes := one.notes(IdeaFinished, below="idea")) and not notes[-1].left_out
    ]
    values = _values(shared, blobs)
    proposed = len({one.scope for one in shared if _stage(one) == "ideas"}) or 1
    return tuple(
        _taken(pins, lines, shared, proposed, steps(journal), note.runs - 1, values)
        for journal, note in made
    )


def code_lines(files: Mapping[str, bytes]) -> frozenset[str]:
    """The lines of a template's code, without their indents; short ones are left out."""
    code = [data.decode("utf-8", "replace") for path, data in files.items() if _is_code(path)]
    lines = {line.strip() for text in code for line in text.splitlines()}
    return frozenset(line for line in lines if len(line) >= _SHORT)


def code_size(lines: Iterable[str]) -> int:
    """Characters of :func:`code_lines`."""
    return sum(map(len, lines))


def _is_code(path: str) -> bool:
    return Path(path).suffix == ".py" and "/" not in path


def _stage(step: Step) -> str:
    """The stage that made a call; ``ideas`` for those of the run."""
    first, second, third = [*step.scope.split("/"), "", ""][:3]
    return (third if first == "idea" else second).partition("#")[0]


def _taken(
    pins: Pins,
    lines: frozenset[str],
    shared: Sequence[Step],
    proposed: int,
    own: Sequence[Step],
    runs: int,
    values: int,
) -> IdeaUse:
    asked = [(one, 1 / proposed) for one in shared if _stage(one) == "ideas"]
    asked += [(one, 1.0) for one in own]
    model = pins.model()
    return IdeaUse(
        template=pins.template.name,
        scale=pins.scale,
        model=model.author,
        engines=bool(pins.engines),
        sees=model.sees,
        code=code_size(lines),
        values=values,
        runs=runs,
        slower=_slower(shared, own),
        answer_seconds=_answer_seconds(own),
        steps=tuple(_step_uses(asked, lines)),
        jobs=tuple(_jobs(own)),
    )


def _step_uses(asked: Sequence[tuple[Step, float]], lines: frozenset[str]) -> Iterator[StepUse]:
    by: dict[tuple[str, str], list[tuple[Step, float]]] = {}
    for step, share in asked:
        if step.port == "model" and isinstance(step.answer, Reply):
            by.setdefault((_stage(step), step.model_request.ask.purpose), []).append((step, share))
    for (stage, purpose), calls in by.items():
        counted = [(call, share) for call, share in calls if call.usage.completion_tokens]
        yield StepUse(
            stage=stage,
            purpose=purpose,
            requests=sum(share for _, share in calls),
            prompt=sum(share * call.usage.prompt_tokens for call, share in calls),
            cached=sum(share * call.usage.cached for call, share in calls),
            written=sum(share * call.usage.written for call, share in calls),
            code=round(sum(share * _code_tokens(call, lines) for call, share in calls)),
            pictures=sum(share * _pictures(call) for call, share in calls),
            answered=sum(share for _, share in counted),
            answer=sum(share * call.usage.completion_tokens for call, share in counted),
        )


def _code_tokens(step: Step, lines: frozenset[str]) -> float:
    """The tokens of a prompt that are lines of code, by their share of its characters."""
    texts = [message.content for message in step.model_request.ask.messages]
    found = sum(
        len(line)
        for text in texts
        for one in text.splitlines()
        for part in one.split("\\n")  # a file as a text in JSON
        if (line := part.strip()) in lines
    )
    return step.usage.prompt_tokens * found / max(1, sum(map(len, texts)))


def _pictures(step: Step) -> int:
    return sum(len(message.pictures) for message in step.model_request.ask.messages)


def _jobs(own: Sequence[Step]) -> Iterator[StageJobs]:
    made = [one for one in own if one.port in {"sandbox", "editor"} and one.answer is not None]
    for stage in dict.fromkeys(map(_stage, made)):
        here = [one for one in made if _stage(one) == stage]
        runs = len([one for one in here if _is_run(one)])
        yield StageJobs(stage=stage, runs=runs, others=len(here) - runs)


def _values(shared: Sequence[Step], blobs: Blobs) -> int:
    """How many means the baseline reports."""
    done = [one.result.files for one in shared if _is_run(one) and one.answer is not None]
    return values_of(done[-1], blobs) if done else 0


def values_of(files: Tree, blobs: Blobs) -> int:
    """How many means ``run_0/final_info.json`` of a baseline's files has: data sets times metrics."""
    results = parse_final_info(blobs.get(files.as_dict()[_RESULTS]))
    return sum(len(one.means) for one in results.datasets.values())


def _is_run(step: Step) -> bool:
    return isinstance(step.request, Job) and any(
        "experiment.py" in one for one in step.request.argv
    )


def _slower(shared: Sequence[Step], own: Sequence[Step]) -> float | None:
    """The mean time of an idea's runs in times of the baseline; None if that has none."""

    def wall(made: Sequence[Step]) -> list[float]:
        return [
            one.answer.attestation.peaks.wall
            for one in made
            if _is_run(one) and isinstance(one.answer, JobResult) and one.answer.ok
        ]

    baseline, runs = wall(shared), wall(own)
    if not baseline or not runs or baseline[-1] <= 0:
        return None
    return sum(runs) / len(runs) / baseline[-1]


def _answer_seconds(own: Sequence[Step]) -> float | None:
    calls = [one for one in own if one.port == "model" and one.seconds and one.answer]
    tokens = sum(one.usage.completion_tokens for one in calls)
    return sum(one.seconds or 0.0 for one in calls) / tokens if tokens else None
