"""``aisci bench review``, as a person meets it."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from tests.console.test_bad_input import refused
from tests.support.warm import warm_aisci as aisci


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """Sixty papers, with a review that tries to act in the terminal and the page."""
    chance = random.Random(7)
    ratings, reviews = ["paper_id\t0\t1\tdecision"], ["paper_id,Summary,Overall,Decision"]
    for n in range(60):
        quality = chance.randint(2, 8)
        ratings.append(f"p{n}\t{quality}.0\t\t{'Accept (Poster)' if quality > 5 else 'Reject'}")
        score = max(1, quality + chance.choice((-2, -1, 0, 1, 2)))
        reviews.append(
            f'p{n},"<script>alert(1)</script>",{score},{"Accept" if score > 6 else "Reject"}'
        )
    (tmp_path / "ratings.tsv").write_text("\n".join([*ratings, "px\t5.0\t\tUnknown", ""]))
    (tmp_path / "mine.csv").write_text("\n".join([*reviews, ""]))
    return tmp_path


@pytest.mark.program
def test_the_command_shows_the_metrics_and_writes_the_page(tables: Path) -> None:
    done = aisci("bench", "review", "ratings.tsv", "--reviews-from", "mine.csv", cwd=tables)
    assert done.returncode == 0, done.stderr
    assert re.search(r"balanced accuracy +0\.\d\d +0\.\d\d to [01]\.\d\d +60\n", done.stdout)
    assert "1 paper left out, people's decision is unknown: px" in done.stdout
    page = (tables / "results/bench/mine/report.html").read_text()
    asked = aisci(
        "bench", "review", "ratings.tsv", "--reviews-from", "mine.csv", "--json", cwd=tables
    )
    figures = json.loads(asked.stdout)
    assert figures["metrics"]["AUC"]["papers"] == 60
    assert figures["thresholds"]["6"]["FPR"]["draws"] == 2000
    kept = json.loads((tables / "results/bench/mine/agreement.json").read_text())
    assert kept == {key: value for key, value in figures.items() if key != "page"}
    assert (tables / "results/bench/mine/report.html").read_text() == page, "the same each time"


@pytest.mark.program
def test_wrong_tables_are_refused_on_one_screen_and_nothing_is_written(tables: Path) -> None:
    path = tables / "mine.csv"
    path.write_text(path.read_text().replace(",Reject", ",Rejected"))
    done = aisci("bench", "review", "ratings.tsv", "--reviews-from", "mine.csv", cwd=tables)
    refused(done, 2, "mine.csv", "'Rejected' is no decision")
    (tables / "mine.csv").write_text("paper_id,Overall,Decision\nq,6,Accept\n")
    done = aisci("bench", "review", "ratings.tsv", "--reviews-from", "mine.csv", cwd=tables)
    refused(done, 2, "no paper has both a decision of people and a review")
    assert not (tables / "results").exists()
