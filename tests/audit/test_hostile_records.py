"""Audits of records that somebody changed and chained again: always one of the three words."""

from __future__ import annotations

import copy
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orchestrator.api.export import write_reports
from orchestrator.audit.audit import AuditVerdict
from orchestrator.audit.page import audit_page
from orchestrator.core.errors import BadJournal
from orchestrator.record.blobs import BlobStore
from tests.support import audit_rig as rig
from tests.support.audit_rig import Forger, Line
from tests.support.audit_rig import whole as audited
from tests.support.sample import FULL, commit

pytestmark = pytest.mark.program  # each plays a whole run again, which is no matter of milliseconds

PARTS, MUTATIONS = (8, 1_250) if FULL else (1, 25)  # records of each part
DEEP: Any = []
for _ in range(400):
    DEEP = [DEEP]
WORDS: list[Any] = [
    None, True, 0, -1, 10**400, 1e308, -1e308, "", "\x00", "\ud800", "x" * 100_000, "../../etc/passwd",
    [], {}, [[]], [None], {"files": 1}, {"files": [[1]]}, "0" * 64, "NaN", "∞", "1970-01-01", "\x1b[2J",
]  # fmt: skip


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile") / "run"
    assert [one.status for one in rig.record(folder)] == ["finished"]
    return folder


@pytest.fixture
def forger(recorded: Path, tmp_path: Path) -> Forger:
    return Forger(Path(shutil.copytree(recorded, tmp_path / "run")))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value within a JSON value."""
    if isinstance(value, dict):
        inner = [place for key in value for place in places(value[key], (*path, key))]
    elif isinstance(value, list):
        inner = [place for at, one in enumerate(value) for place in places(one, (*path, at))]
    else:
        inner = []
    return [path, *inner] if path else inner


def mutate(lines: list[Line], rng: random.Random) -> str:
    """Change one value of one line to another of any type, remove it, or add one beside it."""
    line = rng.choice(lines)
    path = rng.choice([place for place in places(line) if place != ("kind",)])
    holder: Any = line
    for step in path[:-1]:
        holder = holder[step]
    way = rng.choice(("set", "set", "set", "remove", "add"))
    if way == "set":
        holder[path[-1]] = copy.deepcopy(rng.choice(WORDS))
    elif way == "remove":
        del holder[path[-1]]
    elif isinstance(holder, dict):
        holder["more"] = copy.deepcopy(rng.choice(WORDS))
    else:
        holder.append(copy.deepcopy(rng.choice(WORDS)))
    return f"{way} {path} of a {line.get('kind')} line"


@pytest.mark.parametrize("part", range(PARTS))
def test_whatever_a_record_says_the_audit_ends_in_one_of_its_four_words(
    recorded: Path, tmp_path: Path, part: int
) -> None:
    rng = random.Random(f"{commit()} hostile {part}")
    pristine = Forger(recorded)
    journals = {path: pristine.lines(path) for path in (pristine.run, pristine.idea)}
    copied = Forger(Path(shutil.copytree(recorded, tmp_path / "run")))
    words: set[str] = set()
    for _ in range(MUTATIONS):
        journal = rng.choice([copied.run, copied.idea])
        source = pristine.run if journal == copied.run else pristine.idea
        lines = copy.deepcopy(journals[source])
        what = mutate(lines, rng)
        try:
            copied.write(journal, lines)
        except (ValueError, KeyError, UnicodeError):
            continue  # what no JSON holds: a number without a value, half a character
        if journal != copied.run:
            copied.write(copied.run, copy.deepcopy(journals[pristine.run]))
        try:
            done = audited(copied.folder)
            audit_page(done)
        except Exception as error:
            raise AssertionError(what) from error
        words.add(done.outcome.value)
        assert done.outcome is not AuditVerdict.INTACT
        for path, kept in journals.items():
            copied.write(copied.folder / path.relative_to(recorded), copy.deepcopy(kept))
    assert "broken" in words


def last_answer(forger: Forger, inline: Any) -> None:
    """Another body for the last answer of a container."""

    def of(lines: list[Line]) -> None:
        line = [one for one in lines if one["kind"] == "answered" and one["port"] == "sandbox"][-1]
        line["body"].update(inline=inline, blob=None)

    forger.change(forger.idea, of)


def deep_settings(forger: Forger) -> None:
    def of(lines: list[Line]) -> None:
        lines[0]["pins"]["policy"]["settings"].update(editor={"seccomp": DEEP})

    forger.change(forger.run, of)


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def link(path: Path, to: str | Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def file_for_a_folder(path: Path) -> None:
    shutil.rmtree(path)
    path.write_text("no folder")


def holes(path: Path, size: int) -> None:
    path.touch()
    os.truncate(path, size)


def largest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: path.stat().st_size)


def endless_memory(forger: Forger) -> None:
    def of(lines: list[Line]) -> None:
        line = [one for one in lines if one["kind"] == "answered" and one["port"] == "sandbox"][-1]
        line["body"]["inline"]["attestation"]["peaks"]["memory"] = 10**400

    forger.change(forger.idea, of)


HOSTILE: dict[str, Callable[[Forger], object]] = {
    "a peak of four hundred digits": endless_memory,
    "an answer without its list of files": lambda one: last_answer(one, {"files": {}}),
    "a body nested four hundred times": lambda one: last_answer(one, DEEP),
    "settings nested four hundred times": deep_settings,
    "a journal of six gigabytes of holes": lambda one: holes(one.idea, 6 << 30),
    "a signature of thirty gigabytes of holes": lambda one: holes(
        one.folder / "signature.json", 30 << 30
    ),
    "a signature nested ten thousand times": lambda one: (one.folder / "signature.json").write_text(
        "[" * 10_000
    ),
    "a stored file of many megabytes of holes": lambda one: holes(
        largest(one.folder / "blobs"), 200 << 20
    ),
    "a journal that is a pipe": lambda one: pipe(one.idea),
    "evidence that is a pipe": lambda one: pipe(one.idea.parent / "evidence" / "x"),
    "a signature that is a pipe": lambda one: pipe(one.folder / "signature.json"),
    "a stored file that is a pipe": lambda one: pipe(one.folder / "blobs" / ("0" * 64)),
    "a journal that is a link to a file outside": lambda one: link(one.idea, "/etc/passwd"),
    "a folder of an idea that is a link": lambda one: link(one.folder / "other", one.idea.parent),
    "a store that is a file": lambda one: file_for_a_folder(one.idea.parent / "blobs"),
    "a line of nine megabytes": lambda one: one.idea.write_bytes(
        b'{"kind":"' + b"x" * (9 << 20) + b'"}\n'
    ),
    "twenty thousand empty lines": lambda one: one.idea.write_bytes(b"\n" * 20_000),
}


@pytest.mark.parametrize("case", sorted(HOSTILE))
def test_a_record_that_no_program_wrote_is_broken_with_a_reason(forger: Forger, case: str) -> None:
    HOSTILE[case](forger)
    done = audited(forger.folder)
    assert done.outcome is AuditVerdict.BROKEN
    first = done.findings[0]
    assert first.where
    assert first.what
    assert first.todo
    assert audit_page(done)


def charged(usage: dict[str, Any]) -> Callable[[Forger], None]:
    """Every answer of the model in the idea's journal, with another use."""

    def work(forger: Forger) -> None:
        blobs = BlobStore(forger.idea.parent / "blobs", BlobStore(forger.folder / "blobs"))

        def of(lines: list[Line]) -> None:
            for line in lines:
                if line["kind"] == "answered" and line["port"] == "model":
                    value = rig.loaded(line["body"], blobs)
                    value["usage"] |= usage
                    line["body"].update(inline=value, blob=None)

        forger.change(forger.idea, of)

    return work


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        ({"usd": 1_000_000.0}, "more was used than idea.budget.usd allows"),
        ({"completion_tokens": 10**9}, "more was used than idea.budget.tokens allows"),
        ({"prompt_tokens": -5}, "a use below zero: -5"),
        ({"usd": -0.01}, "a use below zero"),
    ],
)
def test_money_and_tokens_are_held_against_the_pinned_policy(
    forger: Forger, usage: dict[str, Any], words: str
) -> None:
    charged(usage)(forger)
    found = [one for one in audited(forger.folder).findings if one.check == "budget"]
    assert any(words in one.what for one in found), found


def test_of_a_record_that_no_program_wrote_no_page_is_written(
    forger: Forger, tmp_path: Path
) -> None:
    last_answer(forger, {"files": {}})
    with pytest.raises(BadJournal, match="not one that this program wrote"):
        write_reports(str(forger.folder), tmp_path, tmp_path / "pages")
    assert not (tmp_path / "pages").exists()
