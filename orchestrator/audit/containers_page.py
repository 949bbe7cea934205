"""The containers on the page of an audit: use, limits, settings, and deviations."""

from __future__ import annotations

from orchestrator.audit.calls import AuditedContainer
from orchestrator.audit.verdict import Audit
from orchestrator.record.attestation import mismatches
from orchestrator.report.containers import (
    departures_fold,
    identity_table,
    refused_pill,
    settings_tables,
)
from orchestrator.report.html import Child, Html, data_table, el, fold, number, right
from orchestrator.report.page import bar, duration, pill, size


def containers_part(audit: Audit) -> Html | None:
    """One row per container, with its deviations from the policy or from runc."""
    if not audit.containers:
        return None
    wrong = {finding.where for finding in audit.findings if finding.level == "wrong"}
    rows = [_row(item, is_wrong=item.where in wrong) for item in audit.containers]
    heads = ("container", "verdict", right("memory"), right("disk"), right("processes"),
             right("CPU time"), right("time"), right("image"), "")  # fmt: skip
    intro = (
        "In the order of their requests; each was new and used once. Bars show the peak use of "
        "each limit."
    )
    ran = [item for item in audit.containers if item.attestation]
    runtimes = sorted({item.attestation.runtime for item in ran if item.attestation})
    return el(
        "div",
        el("p", intro),
        data_table(heads, rows),
        fold("every setting requested, inspected and seen", [_settings(item) for item in ran]),
        [departures_fold(name) for name in runtimes],
    )


def _row(item: AuditedContainer, *, is_wrong: bool) -> tuple[Child, ...]:
    name = [item.place, el("div", f"{item.kind}, {item.where}", class_="small quiet")]
    box = item.attestation
    if box is None:
        return (name, pill("on the host", "warn"), "", "", "", "", "", "",
                "no container: the policy sets `editor: process`")  # fmt: skip
    peaks, limits = box.peaks, item.limits
    deviations: list[Child] = [pill("see the findings", "bad")] if is_wrong else []
    deviations += [pill(f"hit {name}", "warn") for name in box.hit]
    deviations += [pill(f"suspected: {name}", "warn") for name in box.suspected]
    deviations.append(refused_pill(box))
    return (
        name,
        pill(str(box.verdict), "good" if box.verdict == "finished" else "warn"),
        number([size(peaks.memory), bar(peaks.memory, limits.memory)]),
        number([size(peaks.disk), bar(peaks.disk, limits.workspace)]),
        number([str(peaks.pids), bar(peaks.pids, limits.pids)]),
        number([duration(peaks.cpu_time), bar(peaks.cpu_time, limits.cpu_time)]),
        number([duration(peaks.wall), bar(peaks.wall, limits.wall)]),
        number(el("code", box.image.removeprefix("sha256:")[:12])),
        deviations,
    )


def _settings(item: AuditedContainer) -> Html:
    box = item.attestation
    assert box is not None
    different = len(mismatches(box.asked, box.inspected))
    return fold(
        [f"{item.place} · {item.kind}", pill(f"{different} differ", "bad") if different else ""],
        identity_table(box),
        settings_tables(box),
    )
