"""The host's own look: what a probe planted, beside what came home, and what was read of it."""

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

OUTPUT_FOLDER = "out"  # the folder that these probes fill, and that is declared
_MAX_OUTPUT = 1 << 20  # characters of output that are looked at
_BREAKS = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError, MemoryError)


@dataclass(frozen=True, slots=True)
class Inspection:
    """What the host has before it; ``marker`` is what a planted program would make, if it ran."""

    seen: Observation
    result: JobResult
    blobs: BlobStore
    marker: Path

    @property
    def home(self) -> dict[str, str]:
        """Where the bytes are of each file that came home, by its name as it is shown."""
        return {shown(path): sha256 for path, sha256 in self.result.files.files}


def inspect_output(
    probe: Probe, seen: Observation, result: JobResult, blobs: BlobStore, marker: Path
) -> Observation:
    """``seen`` with the host's judgement for attempts, where the probe leaves it to the host.

    It is not done where a file did not come home that may: then nothing is shown by what did
    not either.
    """
    if probe.judge not in _LOOKS:
        return seen
    look = Inspection(seen, result, blobs, marker)
    found = seen.with_attempts([*_LOOKS[probe.judge](look), *_elsewhere(look)])
    lost = sorted(set(seen.fair) - set(look.home))
    if lost:
        return replace(found, done=False, why=f"{lost[0]}, which may, did not come home either")
    return found


def _home(look: Inspection) -> Iterator[Attempt]:
    """Each planted file, and whatever else came home that nobody spoke of."""
    home, refused = look.home, dict(look.result.refused)
    for name in look.seen.planted:
        came = name in home
        yield Attempt(name, came, "it came home" if came else refused.get(name, "not read"))
    for name in sorted(set(home) - set(look.seen.planted) - set(look.seen.fair)):
        yield Attempt(name, through=True, saw="it was not spoken of")


def _home_whole(look: Inspection) -> Iterator[Attempt]:
    came = sum(name in look.home for name in look.seen.planted)
    left = dict.fromkeys(why for _, why in look.result.refused)
    words = f"{came} of {len(look.seen.planted)} came home; {', '.join(list(left)[:2])}"
    yield Attempt("all of it", came == len(look.seen.planted), words)


def _numbers(look: Inspection) -> Iterator[Attempt]:
    """Whether a results file that is a trap was taken for results."""
    for name in look.seen.planted:
        if name not in look.home:
            yield Attempt(name, through=False, saw="not brought home")
            continue
        try:
            results = parse_final_info(look.blobs.get(look.home[name]))
        except BadResults as error:
            yield Attempt(name, through=False, saw=error.why)
        except _BREAKS as error:  # a run would end by it
            yield Attempt(name, through=True, saw=f"broke its reader: {type(error).__name__}")
        else:
            yield Attempt(name, through=True, saw=f"taken for results: {results.metrics[:3]}")


def _opaque(look: Inspection) -> Iterator[Attempt]:
    """Nothing ran, though all of it is here: in the store, in a folder, and read for results."""
    _ = list(_numbers(look))
    lost = [name for name in look.seen.planted if name not in look.home]
    opened = look.marker.exists()
    words = f"{len(look.seen.planted)} files came home, {'opened' if opened else 'unopened'}"
    yield Attempt("to be opened", opened, words)
    if lost:
        yield Attempt("to be looked at", through=True, saw=f"{lost[0]} did not come home")


def _words(look: Inspection) -> Iterator[Attempt]:
    """What is shown of the output, on a terminal and on a page."""
    said = look.result.stdout
    texts = plain(said, limit=_MAX_OUTPUT), el("pre", said)
    acting = sorted({ascii(char) for text in texts for char in text if _acts(char)})
    markup = texts[1].count("<") - 2
    raw = len({char for char in said if _acts(char)})
    words = f"{raw} kinds of acting characters were written, and made visible"
    if acting or markup:
        words = ", ".join(acting) or "markup of its own"
    yield Attempt("to act on a terminal", bool(acting or markup) or not raw, words)


def _acts(char: str) -> bool:
    return char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cf", "Zl", "Zp"}


def _fenced(look: Inspection) -> Iterator[Attempt]:
    """Whether the output, as the data of a prompt, is still one block and the same words."""
    said = look.result.stdout
    prompt = f"Above.\n\n{block('output', said)}\n\nBelow.\n"
    fences = sum("```" in line for line in prompt.splitlines())
    held = fences == 2 and data_blocks(prompt) == {"output": said}
    words = f"{said.count('```')} fences were written; the prompt has its own two"
    yield Attempt("to end its fence", not held or "```" not in said, words)


_LOOKS: dict[str, Callable[[Inspection], Iterator[Attempt]]] = {
    "home": _home,
    "home whole": _home_whole,
    "numbers": _numbers,
    "opaque": _opaque,
    "words": _words,
    "fenced": _fenced,
}


def _elsewhere(look: Inspection) -> Iterator[Attempt]:
    """What lies outside of the declared folder, or is no file, once all is written out as files."""
    with tempfile.TemporaryDirectory(prefix="aisci-prove-") as above:
        idea = Path(above) / "idea"
        try:
            IdeaPaths(idea).export(look.result.files, look.blobs)
        except (AisciError, OSError, ValueError) as error:
            yield Attempt("to be written out", through=True, saw=f"it could not be: {error}")
        for path in sorted(Path(above).rglob("*")):
            inside = path == idea or path.is_relative_to(idea / OUTPUT_FOLDER)
            if not inside or path.is_symlink() or not (path.is_file() or path.is_dir()):
                name = shown(str(path.relative_to(above)))
                yield Attempt(name, through=True, saw="written out of its place")
    if look.marker.exists() and look.seen.planted:
        yield Attempt("to run", through=True, saw="what it planted was run on this host")
