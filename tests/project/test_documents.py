"""Documents: every link leads somewhere, every page is in the index, no blank is left to fill."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.places import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAMED = re.compile(r"`((?:orchestrator|sandbox|tests|scripts|templates|policies)/[\w./-]+\.\w+)`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_and_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text("utf-8")
    links = [link for link in LINK.findall(text) if not link.startswith("http")]
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [name for name in NAMED.findall(text) if not (ROOT / name).exists()] == []


def test_the_index_lists_every_document() -> None:
    index = set(LINK.findall((ROOT / "docs" / "README.md").read_text("utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= index


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_has_a_blank_that_was_to_be_filled(page: Path) -> None:
    assert re.findall(r"\{[A-Z]{3,}\}", page.read_text("utf-8")) == []


def test_the_readme_lists_every_command() -> None:
    from cli import app  # noqa: PLC0415 - the command's own list

    readme = (ROOT / "README.md").read_text("utf-8")
    names = [one.name or one.callback.__name__ for one in app.registered_commands if one.callback]
    names += [str(group.name) for group in app.registered_groups]
    assert [name for name in names if f"`aisci {name}" not in readme] == []
