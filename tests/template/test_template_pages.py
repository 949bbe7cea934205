"""Every shipped template has a page: its question, its knobs, what its smoke run measured, a figure."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template
from tests.support.places import ROOT

NAMES = shipped_templates(shipped_root())
DOCS = ROOT / "docs"
PAGES = DOCS / "templates"
NUMBER = re.compile(r"([−-]?)(\d[\d,]*)(\.\d+)?( million)?")
LARGEST = 150_000  # bytes of a figure, which everybody who clones or installs gets


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text("utf-8")


def measured(name: str) -> dict[str, dict[str, float]]:
    """The means of the newest smoke baseline on record, by data set."""
    entries = json.loads((ROOT / "bench/baselines.json").read_text())
    found: list[Any] = [e for e in entries if (e["template"], e["scale"]) == (name, "smoke")]
    return dict(found[-1]["means"])


def gives(text: str, value: float) -> bool:
    """Whether a number of ``text`` is ``value``, rounded to two digits that count or more."""
    for sign, whole, fraction, million in NUMBER.findall(text):
        size = float(whole.replace(",", "") + fraction) * (1e6 if million else 1)
        step = (1e6 if million else 1) * 10.0 ** -max(0, len(fraction) - 1)
        said = -size if sign else size
        digits = (whole + fraction).replace(",", "").replace(".", "").lstrip("0")
        if said == value or (len(digits) > 1 and abs(said - value) <= step / 2 + 1e-9):
            return True
    return False


def test_every_shipped_template_has_a_page_and_a_figure_and_nothing_else_has() -> None:
    assert sorted(path.name for path in PAGES.iterdir()) == sorted(
        f"{name}.{kind}" for name in NAMES for kind in ("md", "png")
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_page_has_its_question_its_parts_and_its_small_figure(name: str) -> None:
    text = page(name)
    assert re.match(rf"# `{name}`\n\n\*\*[^*]+\?\*\* ", text)
    for part in ("What it is held to", r"Smoke, \d+ \w+ \d{4}"):
        assert len(re.findall(rf"^## {part}$", text, re.MULTILINE)) == 1
    assert re.findall(r"!\[([^]]+)\]\((.+)\)", text)[0][1] == f"{name}.png"
    figure = (PAGES / f"{name}.png").read_bytes()
    assert figure.startswith(b"\x89PNG\r\n\x1a\n")
    assert 5_000 < len(figure) <= LARGEST


@pytest.mark.parametrize("name", NAMES)
def test_a_page_names_each_knob_and_each_headline_metric(name: str) -> None:
    text, manifest = page(name), load_template(name, shipped_root()).manifest
    assert [k.constant for k in manifest.knobs.values() if f"`{k.constant}`" not in text] == []
    headlines = [m.removesuffix("_mean") for m, told in manifest.metrics.items() if told.headline]
    assert headlines
    assert [metric for metric in headlines if f"`{metric}`" not in text] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_page_tells_what_the_baseline_on_record_measured(name: str) -> None:
    metrics = load_template(name, shipped_root()).manifest.metrics
    text = page(name).partition("\n## Smoke")[2]
    told = [
        (data, metric, value)
        for data, means in measured(name).items()
        for metric, value in means.items()
        if metrics[metric].headline and metrics[metric].repeatable
    ]
    assert told
    assert [one for one in told if not gives(text, one[2])] == []


def test_a_number_that_was_not_measured_would_be_seen() -> None:
    assert gives("a loss of 0.437 ± 0.220 nats", 0.43692)
    assert gives("1.73 million multiply-adds", 1728192.0)
    assert gives("−0.010", -0.0102)
    assert not gives("a loss of 0.437 ± 0.220 nats", 0.4384)
    assert not gives("0.010", -0.0102)
    assert not gives("1 of 3", 0.9)


def test_the_document_of_templates_links_to_every_page() -> None:
    text = (DOCS / "templates.md").read_text("utf-8")
    sections = {part.split("`", 1)[0]: part for part in text.split("\n## `")[1:]}
    assert [n for n in NAMES if f"](templates/{n}.md)" not in sections[n]] == []
