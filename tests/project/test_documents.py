"""Documents: every link leads somewhere, every page is in the index, no blank is left to fill."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from tests.support.places import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
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


# What fetches a package by its name; `pip install` beside `--require-hashes` takes only locked files.
FETCHES = re.compile(r"\b(?:pip3? (?:install|download)|pipx|uvx|uv (?:tool|add|pip install))\b")
READ = ("*.md", "*.py", "*.sh", "*.yml", "*.yaml", "*.toml", "Makefile", "Dockerfile*")


def by_name(text: str) -> list[str]:
    """Each command in ``text`` that installs something other than files with known hashes."""
    joined = re.sub(r"\\\n\s*", " ", text)  # a shell's long line
    lines = [line.strip() for line in joined.splitlines() if FETCHES.search(line)]
    return [line for line in lines if "--require-hashes" not in line]


def test_no_text_tells_anybody_to_install_a_package_by_a_name() -> None:
    """On the package index, `aisci` is somebody else's program, which prints a secret."""
    folders = (ROOT, ROOT / "docs", ROOT / "orchestrator", ROOT / "sandbox", ROOT / "scripts")
    wrong = []
    for folder in folders:
        for pattern in READ:
            for path in folder.glob(pattern) if folder == ROOT else folder.rglob(pattern):
                if "wheels" not in path.parts:
                    wrong += [(path.name, line) for line in by_name(path.read_text("utf-8"))]
    explained = {
        ("wheels.py", "``pip download`` runs with the machine's settings (mirror, proxy, CA bundle), and accepts only"),
        ("editor.md", "| a URL in an instruction | `pip install`s a browser driver, fetches | text |"),
    }  # fmt: skip
    assert set(wrong) <= explained
    assert PYPROJECT["project"]["name"] != "aisci"


@pytest.mark.parametrize(
    "line", ["pip install aisci", "pipx run aisci", "uvx aisci", 'pip install -U "aisci[editor]"']
)
def test_an_install_by_a_name_would_be_seen(line: str) -> None:
    assert by_name(line) == [line]
    assert by_name("pip install --no-deps \\\n  --require-hashes -r list.txt") == []


@pytest.mark.parametrize("recipe", sorted((ROOT / "docs" / "recipes").glob("*.y*ml")))
def test_a_recipe_names_each_action_by_its_commit(recipe: Path) -> None:
    used = re.findall(r"uses: (\S+)", recipe.read_text("utf-8"))
    assert [one for one in used if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", one)] == []
