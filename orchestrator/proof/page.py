"""One proof as a page for a security team: no script, nothing loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.proof.judge import ProbeResult
from orchestrator.proof.proof import FullRun, Proof, Row, by_control
from orchestrator.report.html import Child, Html, data_table, el, fold
from orchestrator.report.page import contents, duration, fact_list, page, pill, section

_PILL_STYLES = {
    "held": "good",
    "held otherwise": "warn",
    "did not hold": "bad",
    "not provable here": "warn",
    "nothing is promised": "",
    "not tried": "",
}
_SUMMARIES = {
    "held": "Every control that was tried held.",
    "held otherwise": "Every control held; some are enforced in another way than under runc.",
    "did not hold": "A control did not hold.",
    "not provable here": "What could be tried held; some of it cannot be shown on this machine.",
}


def proof_page(proof: Proof, others: Sequence[str] = ()) -> str:
    """The whole page; ``others`` are the names of earlier pages in its folder, the newest first."""
    shown = [row for row in by_control(proof) if row.state != "not tried"]
    parts: list[tuple[str, str, list[Child]]] = [("controls", "Controls", [map(_control, shown)])]
    if proof.whole:
        parts.append(("limits", "Limits as written", [el("p", _WHOLE), map(_whole, proof.whole)]))
    parts.append(("machine", "What was proved where", [_machine(proof)]))
    parts.append(("means", "What this means", _means(proof)))
    some = f"Only some probes were asked for: {', '.join(proof.asked)}. This is no proof of the whole policy."
    return page(
        f"Proof of {proof.policy} · aisci",
        el(
            "header",
            el("p", f"aisci · proof of a policy · {proof.at}", class_="eyebrow"),
            el("h1", f"{proof.policy}: {proof.outcome}"),
            el("p", _SUMMARIES[proof.outcome], class_="byline"),
            _numbers(proof),
            contents([(anchor, title) for anchor, title, _ in parts]),
        ),
        el("div", el("p", some), class_="notice warn") if proof.asked else None,
        [section(anchor, title, *part) for anchor, title, part in parts],
        _others("Other proofs", others),
    )


def empty_page(policy: str, hash_: str, others: Sequence[str] = ()) -> str:
    """The page of a policy without a proof."""
    return page(
        f"No proof of {policy} · aisci",
        el(
            "header",
            el("p", "aisci · proof of a policy", class_="eyebrow"),
            el("h1", f"{policy} was not proved on this machine"),
            el("p", "Policy hash ", el("span", hash_, class_="hash")),
        ),
        el(
            "p",
            "Make a proof with ",
            el("code", f"aisci policy prove {policy}"),
            ": this page then is the proof.",
        ),
        _others("Proofs of some probes", others),
    )


_WHOLE = (
    "A container of each kind was created at the policy's own limits, with a program that does nothing. "
    "What the engine was asked for is compared with what the kernel enforces. The probes above were run "
    "at limits that are no larger; where they were lowered, that is noted."
)


_MEANS = (
    "Each probe is a small program that breaks one promise, if it can. It first got through in a "
    "deliberately bare container of the same image; then it was run in a container made by the code "
    "path that experiments use. Held means: it got through there, and not here."
)
_NO_MORE = (
    "A proof shows what these probes could not do, on this machine, with this engine, kernel and "
    "images, at that time. It is no proof that nothing else can."
)


def _numbers(proof: Proof) -> Html:
    counts = proof.counts()
    probes = len({one.probe for one in proof.results})
    return fact_list(
        ("probes", probes, f"{len(proof.results)} trials"),
        ("held", counts["held"], f"{counts['held otherwise']} otherwise" if counts["held otherwise"] else ""),
        ("did not hold", counts["did not hold"], ""),
        ("not provable here", counts["not provable here"] + len(proof.unproved), ""),
        ("took", duration(proof.seconds), ""),
    )  # fmt: skip


def _control(row: Row) -> Html:
    many = len(row.results)
    trials = f" {many} trial{'s' * (many != 1)}"
    summary = [row.control.title, pill(row.state, _PILL_STYLES[row.state])]
    summary += [el("span", trials, class_="quiet small")] if many else []
    inner: list[Child] = [el("p", "Enforced by ", row.control.by, ".", class_="small")]
    inner += [el("p", row.why)] if row.why else []
    inner += [_results(row.results)] if row.results else []
    inner += [el("p", "It does not stop: ", row.control.not_stopped, class_="small quiet")]
    return fold(summary, *inner, opened=row.state in {"did not hold", "not provable here"})


def _results(results: Sequence[ProbeResult]) -> Html:
    rows: list[tuple[Child, ...]] = [
        (
            [one.promise, el("div", f"tried: {one.tries}", class_="small quiet"),
             el("div", el("code", one.probe), class_="small quiet")],
            one.kind,
            pill(one.state, _PILL_STYLES[one.state]),
            [one.saw, el("div", one.why, class_="small") if one.why else None,
             el("div", f"lowered: {one.lowered}", class_="small quiet") if one.lowered else None],
            one.bare,
        )
        for one in results
    ]  # fmt: skip
    return data_table(("promise", "container", "", "seen", "in the bare container"), rows)


def _whole(one: FullRun) -> Html:
    if one.attestation is None:
        why = f"{one.kind}: not possible on this machine: {one.why}"
        return el("div", el("p", why), class_="notice warn")
    asked, found = dict(one.attestation.asked), dict(one.attestation.inspected)
    settings: list[tuple[Child, ...]] = [
        (el("code", key), value, "the same" if found.get(key) == value else found.get(key, ""))
        for key, value in sorted(asked.items())
        if key.startswith("HostConfig.")
    ]
    kernel = [(el("code", key), value) for key, value in one.attestation.seen]
    return fold(
        f"{one.kind}: {len(asked)} settings asked and inspected, {len(kernel)} read from the kernel",
        data_table(("setting", "asked", "inspected"), settings),
        data_table(("the kernel reports", ""), kernel),
    )


def _machine(proof: Proof) -> Html:
    rows: list[tuple[Child, ...]] = [
        ("policy", f"{proof.policy} ({proof.origin})"),
        ("policy hash", el("span", proof.hash, class_="hash")),
        ("when", proof.at),
        ("program", f"aisci {proof.program}"),
        ("engine", proof.engine),
        ("runtime", ", ".join(proof.runtimes)),
        ("kernel", f"{proof.kernel}, {proof.machine}, cgroup version {proof.cgroup}"),
        ("quota by", proof.storage),
        *((f"image of {kind}", el("span", image, class_="hash")) for kind, image in proof.images),
    ]
    return data_table(("", ""), rows)


def _means(proof: Proof) -> list[Child]:
    parts: list[Child] = [el("p", _MEANS), el("p", _NO_MORE)]
    if proof.left_out:
        rows = [(el("code", name), why) for name, why in proof.left_out]
        summary = f"{len(rows)} probes do not apply to this policy"
        parts.append(fold(summary, data_table(("probe", "why"), rows)))
    return parts


def _others(title: str, names: Sequence[str]) -> Html | None:
    links = [el("li", el("a", name.removesuffix(".html"), href=name)) for name in names]
    return section("others", title, el("ul", links)) if names else None
