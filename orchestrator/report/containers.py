"""Every container: what it was allowed, what the engine says it was, and what it did."""

from __future__ import annotations

from orchestrator.core.job import Attestation, Limits
from orchestrator.policy.runtimes import departures, unread
from orchestrator.record.calls import Step
from orchestrator.report.html import Child, Html, el, fold, number, right, table
from orchestrator.report.network import network
from orchestrator.report.page import bar, duration, pill, section, size
from orchestrator.report.proof import proved
from orchestrator.report.reading import IdeaFacts


def containers(facts: IdeaFacts) -> Html | None:
    """One fold a container, in the order of their starts; the shared baseline's first."""
    boxes = [(step, box) for step in (*facts.shared, *facts.steps) if (box := _box(step))]
    if not boxes:
        return None
    well = sum(box.verdict == "finished" for _, box in boxes)
    intro = (
        f"{len(boxes)} containers ran, each fresh and used once; {well} ended by themselves. "
        "“Asked” is what the policy wanted; “inspected” is what the engine itself says of the "
        "container; “seen” was read from the running process. Bars show the most that was "
        "used of each limit."
    )
    runtimes = sorted({box.runtime for _, box in boxes})
    otherwise = [told for name in runtimes if (told := _departures(name))]
    one_each = [_one(step, box) for step, box in boxes]
    return section(
        "containers",
        "Containers",
        el("p", intro),
        proved(facts.pins, "../../../"),
        _bare(facts),
        otherwise,
        one_each,
    )


def _bare(facts: IdeaFacts) -> Html | None:
    """Where edits were made on the host itself, that and how many; they have no evidence."""
    edits = [step for step in facts.steps if step.port == "editor" and step.answer is not None]
    bare = sum(step.edit.attestation is None for step in edits)
    if not bare:
        return None
    return el(
        "p",
        pill(f"edits in no container: {bare}", "warn"),
        " Aider ran on the host, held by its guard alone: the policy says ",
        el("code", "editor: process"),
        ".",
    )


def _box(step: Step) -> Attestation | None:
    if step.answer is None or step.port not in {"sandbox", "editor"}:
        return None
    return step.result.attestation if step.port == "sandbox" else step.edit.attestation


def _one(step: Step, box: Attestation) -> Html:
    kind = step.job.kind if step.port == "sandbox" else "editor"
    took = duration(box.peaks.wall)
    look = "good" if box.verdict == "finished" else "bad"
    summary = [f"{step.place} · {kind} · {took}", pill(str(box.verdict), look)]
    summary += [pill(f"hit {name}", "warn") for name in box.hit]
    refused = sum(one.count for one in box.egress if not one.allowed)
    summary += [pill(f"connections refused: {refused}", "warn")] if refused else []
    used, which = _used(step.limits, box), _which(box)
    return fold(summary, used, network(box), _said(step), _settings(box), which)


def _used(limits: Limits, box: Attestation) -> Html:
    peaks = box.peaks
    rows = [
        ("memory", size(peaks.memory), size(limits.memory), peaks.memory, limits.memory),
        ("disk", size(peaks.disk), size(limits.workspace), peaks.disk, limits.workspace),
        ("files", peaks.inodes, limits.inodes, peaks.inodes, limits.inodes),
        ("processes", peaks.pids, limits.pids, peaks.pids, limits.pids),
        ("time", duration(peaks.wall), duration(limits.wall), peaks.wall, limits.wall),
        (
            "CPU time",
            duration(peaks.cpu_time),
            duration(limits.cpu_time),
            peaks.cpu_time,
            limits.cpu_time,
        ),
        ("output", size(peaks.log_bytes), size(limits.logs), peaks.log_bytes, limits.logs),
    ]
    if limits.gpus:
        memory = limits.gpu_memory
        rows.append(("GPU memory", size(peaks.gpu_memory), size(memory), peaks.gpu_memory, memory))
    cells = [
        (name, number(str(used)), number(str(most)), bar(part, whole))
        for name, used, most, part, whole in rows
    ]
    return table(("limit", right("most used"), right("allowed"), ""), cells)


def _said(step: Step) -> list[Child]:
    """What a job's own output and harvest add; an editor's container has neither."""
    if step.port != "sandbox":
        refused = step.edit.refused
        return [el("p", "Refused: ", ", ".join(refused), class_="small")] if refused else []
    result = step.result
    parts: list[Child] = [
        el(
            "p",
            el("code", " ".join(step.job.argv)),
            f" ended with exit code {result.exit_code}; {len(result.files.files)} files came home.",
            class_="small",
        )
    ]
    if result.suspected:
        parts.append(el("p", "Suspected, from its own words alone: ", ", ".join(result.suspected)))
    if result.refused:
        rows = [(el("code", name), why) for name, why in result.refused]
        parts.append(table(("refused at the harvest", "why"), rows))
    for name, said in (("stdout", result.stdout), ("stderr", result.stderr)):
        if said.strip():
            parts.append(fold(f"the end of {name}", el("pre", said[-8000:], class_="wrap")))
    return parts


def _settings(box: Attestation) -> Html:
    asked, found = dict(box.asked), dict(box.inspected)
    rows: list[tuple[Child, ...]] = [
        (el("code", key), asked.get(key, ""), _same(asked.get(key), found.get(key)))
        for key in sorted(asked.keys() | found.keys())
    ]
    theirs = unread(box.runtime)
    seen: list[tuple[Child, ...]] = [
        (el("code", key), [value, pill("the runtime's own", "warn")] if key in theirs else value)
        for key, value in box.seen
    ]
    return fold(
        f"{len(rows)} settings asked and inspected, {len(seen)} seen in the process",
        table(("setting", "asked", "inspected"), rows),
        table(("in the process", "seen"), seen) if seen else None,
    )


def _departures(runtime: str) -> Html | None:
    """What a runtime holds in another way than runc; None for runc itself."""
    rows = [(one.control, one.instead, one.holds) for one in departures(runtime)]
    if not rows:
        return None
    return fold(
        f"under {runtime}, {len(rows)} controls are held otherwise than under runc",
        table(("control", "what is otherwise", "what holds yet"), rows),
    )


def _same(asked: str | None, found: str | None) -> Child:
    if found == asked:
        return el("span", "the same", class_="quiet")
    if asked is None:
        return found or ""
    return [found if found is not None else "(not reported)", pill("differs", "bad")]


def _which(box: Attestation) -> Html:
    pairs = (
        ("image", box.image),
        ("policy", box.policy),
        ("runtime", box.runtime),
        ("quota by", box.storage),
        ("engine", box.engine),
        ("kernel", box.kernel),
        *((f"GPUs {name}", value) for name, value in box.gpus),
    )
    rows = [(name, el("span", value, class_="hash")) for name, value in pairs]
    return fold("image, policy, engine", table(("", ""), rows))
