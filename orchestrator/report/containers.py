"""Every container: its limits, the settings that the engine reports, and what it did."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.core.job import Attestation, Egress, Limits
from orchestrator.policy.runtimes import departures, unread
from orchestrator.record.calls import Step
from orchestrator.report.html import Child, Html, data_table, el, fold, number, right
from orchestrator.report.page import bar, duration, pill, proof_paragraph, size
from orchestrator.report.reading import IdeaFacts

_LONG = 400  # characters of a setting's value


def containers_section(facts: IdeaFacts) -> list[Child]:
    """One fold per container, in the order of their starts; the shared baseline's is first."""
    boxes = [(step, box) for step in (*facts.shared, *facts.steps) if (box := _attestation(step))]
    if not boxes:
        return []
    finished = sum(box.verdict == "finished" for _, box in boxes)
    intro = (
        f"{len(boxes)} containers ran, each new and used once; {finished} ended by themselves. "
        "“Requested” is what the policy required; “inspected” is what the engine reports of the "
        "container; “seen” was read from the running process. Bars show the peak use of each limit."
    )
    return [
        el("p", intro),
        proof_paragraph(facts.pins),
        _edits_on_host(facts),
        *(departures_fold(name) for name in sorted({box.runtime for _, box in boxes})),
        *(_container(step, box) for step, box in boxes),
    ]


def _edits_on_host(facts: IdeaFacts) -> Html | None:
    """The number of edits made on the host itself, which have no evidence."""
    edits = [step for step in facts.of("editor") if step.answer is not None]
    on_host = sum(step.edit.attestation is None for step in edits)
    if not on_host:
        return None
    return el(
        "p",
        pill(f"edits without a container: {on_host}", "warn"),
        " Aider ran on the host, restricted by its guard alone: the policy sets ",
        el("code", "editor: process"),
        ".",
    )


def _attestation(step: Step) -> Attestation | None:
    if step.answer is None or step.port not in {"sandbox", "editor"}:
        return None
    return step.result.attestation if step.port == "sandbox" else step.edit.attestation


def _container(step: Step, box: Attestation) -> Html:
    kind = step.job.kind if step.port == "sandbox" else "editor"
    look = "good" if box.verdict == "finished" else "bad"
    summary: list[Child] = [
        f"{step.place} · {kind} · {duration(box.peaks.wall)}",
        pill(str(box.verdict), look),
        *(pill(f"hit {name}", "warn") for name in box.hit),
        refused_pill(box),
    ]
    settings = len(dict((*box.asked, *box.inspected)))
    seen = len(box.seen) - len(box.unread)
    title = f"{settings} settings requested and inspected, {seen} seen in the process"
    return fold(
        summary,
        _used(step.limits, box),
        _egress(box),
        _output(step),
        fold(title, settings_tables(box)),
        fold("image, policy, engine", identity_table(box)),
    )


def _used(limits: Limits, box: Attestation) -> Html:
    peaks = box.peaks
    rows: list[tuple[str, Callable[[float], str], float, float]] = [
        ("memory", size, peaks.memory, limits.memory),
        ("disk", size, peaks.disk, limits.workspace),
        ("files", str, peaks.inodes, limits.inodes),
        ("processes", str, peaks.pids, limits.pids),
        ("time", duration, peaks.wall, limits.wall),
        ("CPU time", duration, peaks.cpu_time, limits.cpu_time),
        ("output", size, peaks.log_bytes, limits.logs),
    ]
    if limits.gpus:
        rows.append(("GPU memory", size, peaks.gpu_memory, limits.gpu_memory))
    cells = [
        (name, number(text(used)), number(text(limit)), bar(used, limit))
        for name, text, used, limit in rows
    ]
    return data_table(("limit", right("peak"), right("allowed"), ""), cells)


def _egress(box: Attestation) -> Html | None:
    """A fold with every connection that the container requested; None if there was none."""
    if not box.egress:
        return None
    allowed = sum(egress.count for egress in box.egress if egress.allowed)
    refused = sum(egress.count for egress in box.egress if not egress.allowed)
    heads = ("host", "address", "", "why", right("sent"), right("received"), right("after"))
    return fold(
        f"connections through the allow-list: {allowed} allowed, {refused} refused",
        data_table(heads, [_connection(egress) for egress in box.egress]),
    )


def _connection(egress: Egress) -> tuple[Html | str, ...]:
    many = f" × {egress.count}" if egress.count > 1 else ""
    return (
        el("code", egress.host),
        el("code", egress.address),
        pill(f"allowed{many}", "good") if egress.allowed else pill(f"refused{many}", "bad"),
        egress.why,
        number(size(egress.sent)),
        number(size(egress.received)),
        number(f"{egress.at:.1f} s"),
    )


def _output(step: Step) -> list[Child]:
    """A job's output and harvest; an editor's container has neither."""
    if step.port != "sandbox":
        refused = step.edit.refused
        return [el("p", "Refused: ", ", ".join(refused), class_="small")] if refused else []
    result = step.result
    ended = f" ended with exit code {result.exit_code}; {len(result.files.files)} files were kept."
    parts: list[Child] = [el("p", el("code", " ".join(step.job.argv)), ended, class_="small")]
    if result.suspected:
        names = ", ".join(result.suspected)
        parts.append(el("p", "Suspected, only from the program's own output: ", names))
    if result.refused:
        rows = [(el("code", name), why) for name, why in result.refused]
        parts.append(data_table(("refused at the harvest", "why"), rows))
    for name, output in (("stdout", result.stdout), ("stderr", result.stderr)):
        if output.strip():
            parts.append(fold(f"the end of {name}", el("pre", output[-8000:], class_="wrap")))
    return parts


def settings_tables(box: Attestation) -> list[Child]:
    """The settings that the host requested and the engine reports, and what the process had."""
    asked, inspected = dict(box.asked), dict(box.inspected)
    rows: list[tuple[Child, ...]] = [
        (el("code", key), _folded(asked.get(key, "")), _same(asked.get(key), inspected.get(key)))
        for key in sorted(asked.keys() | inspected.keys())
    ]
    # Some runtimes do not report these values truthfully, so they are marked as theirs.
    runtime_own = unread(box.runtime)
    seen: list[tuple[Child, ...]] = [
        (el("code", key), [value, pill("the runtime's own", "warn")] if key in runtime_own else value)
        for key, value in box.seen
    ]  # fmt: skip
    return [
        data_table(("setting", "requested", "inspected"), rows),
        data_table(("in the process", "seen"), seen) if seen else None,
    ]


def _folded(value: str) -> Child:
    """A value; of a long one, such as a program that waits with packages imported, the first line, and all below."""
    if len(value) <= _LONG:
        return value
    return fold(f"{value[: _LONG // 4]} …", el("pre", value, class_="wrap"))


def _same(asked: str | None, inspected: str | None) -> Child:
    if inspected == asked:
        return el("span", "the same", class_="quiet")
    if asked is None:
        return inspected or ""
    return [inspected if inspected is not None else "(not reported)", pill("differs", "bad")]


def departures_fold(runtime: str) -> Html | None:
    """The controls that a runtime enforces in another way than runc; None for runc itself."""
    rows = [(one.control, one.instead, one.holds) for one in departures(runtime)]
    if not rows:
        return None
    return fold(
        f"under {runtime}, {len(rows)} controls differ from runc",
        data_table(("control", "the difference", "what still holds"), rows),
    )


def refused_pill(box: Attestation) -> Html | None:
    """How many connections the allow-list refused; None for none."""
    refused = sum(egress.count for egress in box.egress if not egress.allowed)
    return pill(f"connections refused: {refused}", "warn") if refused else None


def identity_table(box: Attestation) -> Html:
    """The container, image, policy and versions of the software that ran it."""
    pairs = (
        ("container", box.container), ("image", box.image), ("policy", box.policy),
        ("runtime", box.runtime), ("quota by", box.storage), ("engine", box.engine),
        ("kernel", box.kernel), ("exit code", str(box.exit_code)),
        ("ended by the host", box.killed or "no"),
        *((f"GPUs {name}", value) for name, value in box.gpus),
    )  # fmt: skip
    return data_table(("", ""), [(name, el("span", value, class_="hash")) for name, value in pairs])
