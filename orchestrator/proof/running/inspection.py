"""The host's inspection: what a probe planted, compared with what was harvested and read."""

from __future__ import annotations

import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from orchestrator.core.errors import AisciError, BadResults
from orchestrator.core.filenames import shown
from orchestrator.core.job import JobResult
from orchestrator.core.sanitize import plain
from orchestrator.proof.observation import Attempt, Observation
from orchestrator.proof.probe import Probe
from orchestrator.record.blobs import BlobStore
from orchestrator.record.paths import IdeaPaths
from orchestrator.report.html import el
from orchestrator.research.prompts import block, data_blocks
from orchestrator.template.results import parse_final_info

OUTPUT_FOLDER = "out"  # the declared output folder of these probes
_MAX_OUTPUT = 1 << 20  # characters of output that are inspected
_BREAKS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError)


@dataclass(frozen=True, slots=True)
class Inspection:
    """The material of one inspection; a planted program that runs would create ``marker``."""

    seen: Observation
    result: JobResult
    blobs: BlobStore
    marker: Path

    @property
    def harvested(self) -> dict[str, str]:
        """The SHA-256 of each harvested file, by its name as shown."""
        return {shown(path): sha256 for path, sha256 in self.result.files.files}


def inspect_output(
    probe: Probe, seen: Observation, result: JobResult, blobs: BlobStore, marker: Path
) -> Observation:
    """``seen`` with the host's attempts, where the probe leaves the judgement to the host.

    It is not done if a file was not harvested that may be: then what is missing proves nothing.
    """
    if probe.judge not in _INSPECTIONS:
        return seen
    inspection = Inspection(seen, result, blobs, marker)
    attempts = (*_INSPECTIONS[probe.judge](inspection), *_elsewhere(inspection))
    judged = replace(seen, attempts=attempts)
    lost = sorted(set(seen.fair) - set(inspection.harvested))
    if lost:
        return replace(judged, done=False, why=f"{lost[0]}, which is allowed, was not harvested")
    return judged


def _home(inspection: Inspection) -> Iterator[Attempt]:
    """Each planted file, and any other harvested file that the probe did not name."""
    harvested, refused = inspection.harvested, dict(inspection.result.refused)
    for name in inspection.seen.planted:
        came = name in harvested
        yield Attempt(name, came, "it was harvested" if came else refused.get(name, "not read"))
    for name in sorted(set(harvested) - set(inspection.seen.planted) - set(inspection.seen.fair)):
        yield Attempt(name, through=True, saw="the probe did not name it")


def _home_whole(inspection: Inspection) -> Iterator[Attempt]:
    came = sum(name in inspection.harvested for name in inspection.seen.planted)
    left = dict.fromkeys(why for _, why in inspection.result.refused)
    words = f"{came} of {len(inspection.seen.planted)} harvested; {', '.join(list(left)[:2])}"
    yield Attempt("all of it", came == len(inspection.seen.planted), words)


def _numbers(inspection: Inspection) -> Iterator[Attempt]:
    """Whether a results file that is a trap was accepted as results."""
    for name in inspection.seen.planted:
        if name not in inspection.harvested:
            yield Attempt(name, through=False, saw="not harvested")
            continue
        try:
            results = parse_final_info(inspection.blobs.get(inspection.harvested[name]))
        except BadResults as error:
            yield Attempt(name, through=False, saw=error.why)
        except _BREAKS as error:  # it would end a run
            yield Attempt(name, through=True, saw=f"broke its reader: {type(error).__name__}")
        else:
            taken = bool(results.metrics)  # a metric that diverged counts for nothing
            saw = f"taken for results: {results.metrics[:3]}" if taken else "every metric diverged"
            yield Attempt(name, through=taken, saw=saw)


def _opaque(inspection: Inspection) -> Iterator[Attempt]:
    """Nothing may have run, though the files are in the store, in a folder, and read for results."""
    _ = list(_numbers(inspection))
    lost = [name for name in inspection.seen.planted if name not in inspection.harvested]
    opened = inspection.marker.exists()
    words = f"{len(inspection.seen.planted)} files harvested, {'opened' if opened else 'unopened'}"
    yield Attempt("to be opened", opened, words)
    if lost:
        yield Attempt("to be looked at", through=True, saw=f"{lost[0]} was not harvested")


def _words(inspection: Inspection) -> Iterator[Attempt]:
    """What a terminal and a page show of the output."""
    output = inspection.result.stdout
    texts = plain(output, limit=_MAX_OUTPUT), el("pre", output)
    acting = sorted({ascii(char) for text in texts for char in text if _acts(char)})
    markup = texts[1].count("<") - 2
    raw = len({char for char in output if _acts(char)})
    words = f"{raw} kinds of acting characters were written, and made visible"
    if acting or markup:
        words = ", ".join(acting) or "markup of its own"
    yield Attempt("to act on a terminal", bool(acting or markup) or not raw, words)


def _acts(char: str) -> bool:
    return char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}


def _fenced(inspection: Inspection) -> Iterator[Attempt]:
    """Whether the output, as data in a prompt, is still one block with the same text."""
    output = inspection.result.stdout
    prompt = f"Above.\n\n{block('output', output)}\n\nBelow.\n"
    fences = sum("```" in line for line in prompt.splitlines())
    held = fences == 2 and data_blocks(prompt) == {"output": output}
    words = f"{output.count('```')} fences were written; the prompt has its own two"
    yield Attempt("to end its fence", not held or "```" not in output, words)


_INSPECTIONS: dict[str, Callable[[Inspection], Iterator[Attempt]]] = {
    "home": _home,
    "home whole": _home_whole,
    "numbers": _numbers,
    "opaque": _opaque,
    "words": _words,
    "fenced": _fenced,
}


def _elsewhere(inspection: Inspection) -> Iterator[Attempt]:
    """What is outside of the declared folder, or not a file, once everything is exported as files."""
    with tempfile.TemporaryDirectory(prefix="aisci-prove-") as above:
        idea = Path(above) / "idea"
        try:
            IdeaPaths(idea).export(inspection.result.files, inspection.blobs, {})
        except (AisciError, OSError, ValueError) as error:
            yield Attempt("to be written out", through=True, saw=f"it could not be: {error}")
        for path in sorted(Path(above).rglob("*")):
            inside = path == idea or path.is_relative_to(idea / OUTPUT_FOLDER)
            if not inside or path.is_symlink() or not (path.is_file() or path.is_dir()):
                name = shown(str(path.relative_to(above)))
                yield Attempt(name, through=True, saw="written outside its folder")
    if inspection.marker.exists() and inspection.seen.planted:
        yield Attempt("to run", through=True, saw="what it planted was run on this host")
