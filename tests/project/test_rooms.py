"""Rooms and floors, errors that help, files of one idea: each rule, and that it can be broken."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import source_rules as rules
from tests.support.places import ROOT

Rule = Callable[[Path], list[str]]
COMMANDS = frozenset(
    {"app", "audit", "baseline", "doctor", "main", "prepare", "prove", "reap", "replay", "resume"}
    | {"run"}
)


def test_a_room_imports_rooms_on_lower_floors_only_and_every_room_is_named() -> None:
    assert rules.climbing_imports(ROOT) == []


def test_every_error_says_what_where_and_what_to_do() -> None:
    assert rules.errors_without_help(ROOT) == []


def test_a_file_over_250_lines_says_why_at_its_top() -> None:
    assert rules.long_files(ROOT) == []


def test_no_two_modules_of_one_room_share_a_name() -> None:
    assert rules.repeated_module_names(ROOT) == []


def test_no_public_name_is_defined_in_two_modules() -> None:
    """But for a command, which the command line, the console and the api each have by its name."""
    assert rules.repeated_public_names(ROOT, COMMANDS) == []


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the program to break."""
    folder = tmp_path_factory.mktemp("program")
    kept = shutil.ignore_patterns("__pycache__", "*.md")
    shutil.copytree(ROOT / "orchestrator", folder / "orchestrator", ignore=kept)
    shutil.copy(ROOT / "cli.py", folder)
    return folder


BREAKS: dict[str, tuple[Rule, str, str, str]] = {
    "a room imports one above it": (
        rules.climbing_imports,
        "orchestrator/core/broken.py",
        '"""Broken."""\n\nfrom orchestrator.sandbox import resources\n',
        "core/broken.py imports sandbox, which is not on a lower floor",
    ),
    "a room imports one on its own floor": (
        rules.climbing_imports,
        "orchestrator/policy/broken.py",
        '"""Broken."""\n\n\ndef late() -> None:\n    import orchestrator.record.journal\n',
        "policy/broken.py imports record, which is not on a lower floor",
    ),
    "a room that no floor names": (
        rules.climbing_imports,
        "orchestrator/attic/broken.py",
        '"""Broken."""\n',
        "no floor names the room 'attic'",
    ),
    "a module outside of every room": (
        rules.climbing_imports,
        "orchestrator/broken.py",
        '"""Broken."""\n',
        "orchestrator/broken.py: a module outside of every room",
    ),
    "an error without a way on": (
        rules.errors_without_help,
        "orchestrator/core/broken.py",
        "from orchestrator.core.errors import UserError\n\nraise UserError('no', where='here')\n",
        "core/broken.py:3: UserError has no todo",
    ),
    "a new kind of error without a place": (
        rules.errors_without_help,
        "orchestrator/core/broken.py",
        (
            "from orchestrator.core.errors import UserError\n\n\nclass New(UserError): ...\n\n\n"
            "raise New('no', todo='stop')\n"
        ),
        "core/broken.py:7: New has no where",
    ),
    "a long file without a reason": (
        rules.long_files,
        "orchestrator/core/broken.py",
        '"""Broken."""\n' + "# a line\n" * 250,
        "core/broken.py: 251 lines and no reason",
    ),
    "a public name that another module defines": (
        rules.repeated_public_names,
        "orchestrator/core/broken.py",
        '"""Broken."""\n\n\nclass SandboxPool: ...\n',
        "SandboxPool: orchestrator/core/broken.py, orchestrator/sandbox/resources.py",
    ),
    "a second module of the same name in a room": (
        rules.repeated_module_names,
        "orchestrator/sandbox/job/resources.py",
        '"""Broken."""\n',
        "orchestrator/sandbox/job/resources.py",
    ),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_rule_fails_when_it_is_broken(name: str, copy: Path) -> None:
    rule, path, text, message = BREAKS[name]
    before = rule(copy)
    broken = copy / path
    broken.parent.mkdir(exist_ok=True)
    broken.write_text(text)
    try:
        (found,) = set(rule(copy)) - set(before)
    finally:
        broken.unlink()
    assert message in found
