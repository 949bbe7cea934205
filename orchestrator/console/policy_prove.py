"""``aisci policy prove``: follow a proof on the terminal, and print its result."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.api.proofs import prove as proved
from orchestrator.console import output as out
from orchestrator.console.live import Display
from orchestrator.console.options import View
from orchestrator.core.job import ContainerKind
from orchestrator.core.sanitize import plain_line
from orchestrator.proof.judge import WORST_FIRST, ProbeResult
from orchestrator.proof.proof import Proof, Row, by_control

_COLOURS = {
    "held": "green",
    "held otherwise": "yellow",
    "did not hold": "bold red",
    "not provable here": "yellow",
    "nothing is promised": "dim",
    "not tried": "dim",
}
_WIDE = 120  # characters of a printed proof
_LAST = {
    "held": "Every control that was tried held.",
    "held otherwise": "Every control held; the page says where gVisor enforces one differently.",
    "did not hold": "A control DID NOT HOLD: do not run untrusted code under this policy here.",
    "not provable here": "Everything that could be tried held; the rest cannot be proved on this machine.",
}


def prove(name: str, only: tuple[str, ...], results: Path, view: View) -> int:
    """Prove a policy and print the result; returns the exit code (0, 1 or 3)."""
    with ProofTable(view) as watch:
        outcome = proved(name, watch, only=only, results=results)
    proof = outcome.proof
    if view.as_json:
        short = {key: x for key, x in asdict(proof).items() if key not in {"results", "whole"}}
        more = {"outcome": proof.outcome, "sha256": proof.sha256, "page": str(outcome.page)}
        out.as_json({"proof": {**short, **more}})
    else:
        _print(proof, outcome.page, verbose=view.verbose)
    return proof.exit_code


@dataclass(slots=True)
class _Round:
    many: int
    states: Counter[str] = field(default_factory=Counter)
    doing: str = ""


class ProofTable(Display):
    """On a terminal: a line for each kind of container, drawn again four times a second.

    In a log: a line when a kind of container begins, and one for each result that is not plain.
    """

    def __init__(self, view: View) -> None:
        super().__init__(live=not (view.quiet or view.as_json))
        self._as_json = view.as_json
        self._rounds: dict[ContainerKind, _Round] = {}

    def begin(self, kind: ContainerKind, count: int) -> None:
        self._rounds[kind] = _Round(count)
        self.log(f"{kind}: {count} probes")

    def doing(self, kind: ContainerKind, what: str) -> None:
        self._rounds[kind].doing = what

    def take(self, result: ProbeResult) -> None:
        mine = self._rounds[result.kind]
        mine.states[result.state] += 1
        mine.doing = "" if mine.states.total() == mine.many else mine.doing
        if self._as_json:
            out.as_json({"result": asdict(result)})
        elif result.state != "held":
            saw = result.why or result.saw
            line = f"{result.kind}: {result.probe}: {result.state}: {saw}"
            self.log(plain_line(line, limit=400))

    def drawn(self) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
        for kind, mine in self._rounds.items():
            done = mine.states.total()
            table.add_row(
                kind,
                ProgressBar(total=max(mine.many, 1), completed=done, width=24),
                f"{done} of {mine.many}",
                _counted(mine.states),
                Text(plain_line(mine.doing, limit=60), style="dim"),
            )
        return table


def _counted(states: Counter[str]) -> Text:
    text = Text()
    for state in reversed(WORST_FIRST):
        if states[state]:
            text.append(f"{states[state]} {state}  ", style=_COLOURS[state])
    return text


def _print(proof: Proof, page: Path, *, verbose: bool) -> None:
    """The proof on a terminal: a line for each control, then what did not plainly hold."""
    dull = {"nothing is promised", "not tried"}
    rows = [row for row in by_control(proof) if row.state not in dull or verbose]
    out.draw([_controls(rows)], longest=_WIDE)
    listed = [one for one in proof.results if verbose or one.state != "held"]
    if listed:
        out.say()
        out.draw([_listed(listed)], longest=_WIDE)
    counts = ", ".join(f"{many} {state}" for state, many in proof.counts().items() if many)
    probes = len({one.probe for one in proof.results})
    out.say(f"\n{probes} probes, {len(proof.results)} trials in {proof.seconds:.0f} s: {counts}")
    out.say(_LAST[proof.outcome])
    if proof.asked:
        out.say("Only some probes were run: this is not a proof of the whole policy.")
    out.say(f"policy:   {proof.policy} ({proof.origin}), SHA-256 {proof.hash}")
    out.say(f"proof:    {page}")


def _controls(rows: Sequence[Row]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for head in ("control", "trials", "result"):
        table.add_column(head, no_wrap=True, justify="right" if head == "trials" else "left")
    table.add_column("why, unless it simply held", overflow="fold", ratio=1)
    for row in rows:
        outcome = Text(row.state, style=_COLOURS[row.state])
        table.add_row(
            row.control.title, str(len(row.results) or ""), outcome, plain_line(row.why, limit=300)
        )
    return table


def _listed(results: Sequence[ProbeResult]) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", expand=True)
    for head in ("probe", "container", ""):
        table.add_column(head, no_wrap=True)
    table.add_column("promise, and what was observed", overflow="fold", ratio=1)
    for one in results:
        text = Text(plain_line(one.promise))
        for more in filter(None, (one.saw, one.why)):
            text.append(f"\n→ {plain_line(more, limit=400)}", style="dim")
        table.add_row(one.probe, one.kind, Text(one.state, style=_COLOURS[one.state]), text)
    return table
