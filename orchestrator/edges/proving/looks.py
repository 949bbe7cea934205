"""The host's own look: what a probe planted, beside what came home, and what was read of it."""

from __future__ import annotations

import unicodedata
from pathlib import Path

from orchestrator import BadResults
from orchestrator.blobs import BlobStore
from orchestrator.plain import plain
from orchestrator.proof.probe import Probe
from orchestrator.proof.seen import Attempt, Seen
from orchestrator.records import JobResult
from orchestrator.results import parse_final_info

OUT = "out"  # the folder that these probes fill, and that is declared


def looked_at(probe: Probe, seen: Seen, result: JobResult, blobs: BlobStore, marker: Path) -> Seen:
    """``seen`` with the host's judgement for attempts, where the probe leaves it to the host.

    ``marker`` is the file that a planted pickle or program would make on this host.
    """
    home = result.files.as_dict()
    refused = dict(result.refused)
    if probe.judge == "home":
        return seen.with_attempts(
            Attempt(name, name in home, refused.get(plain(name), "left behind"))
            for name in seen.planted
        )
    if probe.judge == "home whole":
        came = sum(name in home for name in seen.planted)
        words = f"{came} of {len(seen.planted)} came home"
        return seen.with_attempts([Attempt("all of it", came == len(seen.planted), words)])
    if probe.judge == "numbers":
        return seen.with_attempts(_numbers(name, home, blobs) for name in seen.planted)
    if probe.judge == "opaque":
        came = sum(name in home for name in seen.planted)
        words = f"{came} files came home, unopened" if came else "nothing came home"
        return seen.with_attempts([Attempt("to be opened", marker.exists() or not came, words)])
    if probe.judge == "words":
        left = sorted({repr(char) for char in plain(result.stdout, limit=1 << 20) if _acts(char)})
        raw = any(_acts(char) for char in result.stdout)
        words = "made visible" if raw else "nothing was written"
        return seen.with_attempts([Attempt("to act on a terminal", bool(left) or not raw, words)])
    return seen


def _numbers(name: str, home: dict[str, str], blobs: BlobStore) -> Attempt:
    """Whether a results file that is a trap was taken for results."""
    if name not in home:
        return Attempt(name, through=False, saw="left behind")
    try:
        parse_final_info(blobs.get(home[name]))
    except BadResults as error:
        return Attempt(name, through=False, saw=error.what)
    return Attempt(name, through=True, saw="taken for results")


def _acts(char: str) -> bool:
    return char not in "\n\t" and unicodedata.category(char) in {"Cc", "Cf"}
