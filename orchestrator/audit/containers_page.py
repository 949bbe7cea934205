"""The containers of an audited run on its page: what each used and was, and what departs in it."""

from __future__ import annotations

from orchestrator.audit.calls import Box
from orchestrator.audit.verdict import Audit
from orchestrator.policy.runtimes import departures, unread
from orchestrator.record.attestation import mismatches
from orchestrator.report.html import Child, Html, el, fold, number, right, table
from orchestrator.report.page import bar, duration, pill, size


def containers(audit: Audit) -> Html | None:
    """One row a container; what departs from its policy or from runc is named in it."""
    if not audit.boxes:
        return None
    wrong = {one.where for one in audit.findings if one.level == "wrong"}
    rows = [_container(box, told_wrong=box.where in wrong) for box in audit.boxes]
    heads = ("container", "verdict", right("memory"), right("disk"), right("processes"),
             right("CPU time"), right("time"), right("image"), "")  # fmt: skip
    intro = (
        "In the order of asking, each fresh and used once. Bars show the most that was used of "
        "each limit."
    )
    every = [_settings(box) for box in audit.boxes if box.attestation]
    folds = fold("every setting that was asked, inspected and seen", every)
    return el("div", el("p", intro), table(heads, rows), folds, _otherwise(audit))


def _container(box: Box, *, told_wrong: bool) -> tuple[Child, ...]:
    name = [box.place, el("div", f"{box.kind}, {box.where}", class_="small quiet")]
    told = box.attestation
    if told is None:
        return (name, pill("on the host", "warn"), "", "", "", "", "", "",
                "no container: the policy says `editor: process`")  # fmt: skip
    peaks, limits = told.peaks, box.limits
    look = "good" if told.verdict == "finished" else "warn"
    departs = [pill("see the findings", "bad")] if told_wrong else []
    departs += [pill(f"hit {name}", "warn") for name in told.hit]
    departs += [pill(f"suspected: {name}", "warn") for name in told.suspected]
    refused = sum(one.count for one in told.egress if not one.allowed)
    departs += [pill(f"connections refused: {refused}", "warn")] if refused else []
    return (
        name,
        pill(str(told.verdict), look),
        number([size(peaks.memory), bar(peaks.memory, limits.memory)]),
        number([size(peaks.disk), bar(peaks.disk, limits.workspace)]),
        number([str(peaks.pids), bar(peaks.pids, limits.pids)]),
        number([duration(peaks.cpu_time), bar(peaks.cpu_time, limits.cpu_time)]),
        number([duration(peaks.wall), bar(peaks.wall, limits.wall)]),
        number(el("code", told.image.removeprefix("sha256:")[:12])),
        departs,
    )


def _settings(box: Box) -> Html:
    told = box.attestation
    assert told is not None
    inspected = dict(told.inspected)
    theirs = unread(told.runtime)
    rows: list[tuple[Child, ...]] = [
        (el("code", name), value, "the same" if inspected.get(name) == value else pill("differs", "bad"))
        for name, value in told.asked
    ]  # fmt: skip
    rows += [
        (el("code", name), "", value) for name, value in told.inspected if name.startswith("Env.")
    ]
    seen = [
        (el("code", name), [value, pill("the runtime's own", "warn")] if name in theirs else value)
        for name, value in told.seen
    ]
    about = (
        ("container", told.container), ("image", told.image), ("policy", told.policy),
        ("engine", told.engine), ("kernel", told.kernel), ("runtime", told.runtime),
        ("quota by", told.storage), ("exit code", str(told.exit_code)), ("ended by the host", told.killed or "no"),
        *((f"GPUs {name}", value) for name, value in told.gpus),
    )  # fmt: skip
    different = len(mismatches(told.asked, told.inspected))
    return fold(
        [f"{box.place} · {box.kind}", pill(f"{different} differ", "bad") if different else ""],
        table(("", ""), [(name, el("span", value, class_="hash")) for name, value in about]),
        table(("setting", "asked", "inspected"), rows),
        table(("in the process", "seen"), seen),
    )


def _otherwise(audit: Audit) -> list[Html]:
    """What each runtime that was used holds in another way than runc."""
    runtimes = sorted({box.attestation.runtime for box in audit.boxes if box.attestation})
    return [
        fold(
            f"under {name}, {len(found)} controls are held otherwise than under runc",
            table(
                ("control", "what is otherwise", "what holds yet"),
                [(one.control, one.instead, one.holds) for one in found],
            ),
        )
        for name in runtimes
        if (found := departures(name))
    ]
