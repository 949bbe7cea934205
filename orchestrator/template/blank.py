"""A new template's files: what is to be filled in bears a mark, and a check names each mark left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.template.draft import Seen, gpu_lines, package_lines, quoted, value_list
from orchestrator.template.fields import FilePath
from orchestrator.template.folder import PAPER

COMMON, STYLE = "common.py", "latex/aisci.sty"
_TAKEN = ("experiment.py", "plot.py", "prompt.json", "seed_ideas.json", PAPER)
_FULL = """scales:
  full:
    description: "FILL IN: the size that the code has by itself, and on what machine"
    # minutes: 5   about how long a run takes; a policy with less time refuses it
# A smaller scale, first in this list, makes a check quick: `env: {AISCI_SCALE: smoke}`, which
# experiment.py reads with os.environ.get("AISCI_SCALE") to do fewer steps."""


@dataclass(frozen=True, slots=True)
class Blank:
    """The files of ``templates/new``, and the two parts of its manifest that do not depend on code."""

    files: Mapping[str, bytes]
    head: str
    scales: str

    @classmethod
    def shipped(cls, root: Path) -> Blank:
        """As they come with the program."""
        shared = root / "templates"
        files = {path: (shared / "new" / path).read_bytes() for path in _TAKEN}
        files |= {
            "library.json": b"[]\n",
            COMMON: (shared / COMMON).read_bytes(),
            STYLE: (shared / "aisci.sty").read_bytes(),
        }
        texts = [
            (shared / "new" / name).read_text("utf-8") for name in ("manifest.yaml", "scales.yaml")
        ]
        return cls(files, *texts)


@dataclass(frozen=True, slots=True)
class ManifestFacts:
    """What is known of the code that a manifest is for: its ``helps`` are words on its constants,
    ``own`` the files beside experiment.py that it imports. ``scales`` are stated, or one of its own.
    """

    seen: Seen
    helps: Mapping[str, str] = field(default_factory=dict)
    own: tuple[FilePath, ...] = ()
    scales: str = _FULL


def blank_manifest(head: str, name: str, facts: ManifestFacts) -> bytes:
    """The text of the manifest."""
    head = re.sub(r"^name: .*$", f"name: {name}", head, flags=re.MULTILINE)
    head = head.replace("FOLDER", f"./{name}")
    if facts.own:
        head = head.replace("[experiment.py, ", f"[experiment.py, {', '.join(facts.own)}, ")
    parts = (_knobs(facts), _data(facts.seen), package_lines(facts.seen), facts.scales.splitlines())
    lines = [line for part in parts for line in (*part, "")]
    return "\n".join([head.rstrip("\n"), "", *lines, *gpu_lines(facts.seen), ""]).encode()


def _knobs(facts: ManifestFacts) -> Iterator[str]:
    editable = ("experiment.py", *facts.own)
    knobs = [one for one in facts.seen.numbers if one.kind == "knob" and one.file in editable]
    if not knobs:
        yield "# knobs: what a study may vary. No capital constant with a plain number was seen."
        return
    yield "# What a study may vary, and the values that it tries."
    yield "knobs:  # FILL IN: keep those that make sense, correct their values, remove the others"
    for one in knobs:
        yield f"  {one.name.lower()}:"
        yield f"    file: {one.file}"
        yield f"    constant: {one.name}"
        yield f"    default: {one.value!r}"
        yield f"    values: [{value_list(one)}]"
        yield f"    description: {quoted(facts.helps.get(one.name) or one.name)}"


def _data(seen: Seen) -> Iterator[str]:
    fetched = seen.of_kind("fetch")
    if fetched:
        yield f"# FILL IN: there is no network in a run. {fetched[0].where} fetches data: declare it"
        yield "# here (docs/templates.md, Data), or give it with --data DIR; read it from /data/NAME."
    yield "data: []"
