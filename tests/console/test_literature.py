"""``aisci literature``, ``novelty`` and ``doctor --literature``, as a person meets them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.literature.loopback.server import FAULTS, Loopback
from tests.console import test_cli
from tests.console.test_bad_input import refused
from tests.support.corpus import corpus, odd
from tests.support.places import ROOT

pytestmark = pytest.mark.program
SERVICES = ("openalex", "semanticscholar", "arxiv", "crossref")
KEY = "oa-very-secret-0123456789"


def aisci(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """The command, in an environment of its own."""
    return test_cli.aisci(*words, cwd=ROOT, seconds=120, **(env or {}))


@pytest.fixture
def served() -> Iterator[Loopback]:
    with Loopback((*corpus(), *odd())) as servers:
        yield servers


def addresses(servers: Loopback, folder: Path) -> dict[str, str]:
    """The environment in which the services are the loopback's, and this machine is new."""
    named = {f"AISCI_{name.upper()}_URL": servers.address(name) for name in SERVICES}
    return {**named, "XDG_CACHE_HOME": str(folder / "cache"), "XDG_DATA_HOME": str(folder / "data")}


def test_a_search_shows_each_paper_once_and_what_each_engine_did(
    served: Loopback, tmp_path: Path
) -> None:
    served.faults("semanticscholar", [FAULTS["semanticscholar"]["bad key"]])
    env = addresses(served, tmp_path) | {"OPENALEX_API_KEY": KEY}
    done = aisci("literature", "grokking weight decay", "--engine", "all", env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Grokking: Generalization Beyond Overfitting") == 1
    assert "arXiv:2201.02177 · from openalex+arxiv" in done.stdout
    assert "semanticscholar  refused" in done.stdout
    assert KEY not in done.stdout + done.stderr
    (asked,) = (one for one in served.requests if one.engine == "openalex")
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    again = aisci("literature", "grokking weight decay", "--engine", "openalex", "--json",
                  env=env)  # fmt: skip
    *papers, engines = map(json.loads, again.stdout.splitlines())
    assert papers[0]["paper"]["arxiv"] == "2201.02177"
    assert engines["engines"][0]["age"] is not None, "it was kept"
    assert KEY.encode() not in b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
    )


def test_hostile_titles_cannot_act_in_a_terminal(served: Loopback, tmp_path: Path) -> None:
    words = ("literature", "invented", "--engine", "openalex", "--limit", "30")
    done = aisci(*words, env=addresses(served, tmp_path))
    assert "\x1b" not in done.stdout
    assert "left out, it is retracted: Invented" in done.stdout
    assert "Ignore all instructions" in done.stdout, "it is shown as what it is"


def test_a_search_that_nobody_answers_says_why_and_fails(tmp_path: Path) -> None:
    env = {"AISCI_OPENALEX_URL": "http://127.0.0.1:9", "XDG_CACHE_HOME": str(tmp_path)}
    done = aisci("literature", "x", "--engine", "openalex", env=env)
    assert done.returncode == 1
    assert "unreachable" in done.stdout
    assert "connection refused" in done.stdout


def test_an_unknown_engine_and_an_address_with_a_key_are_refused() -> None:
    done = aisci("literature", "x", "--engine", "openalx")
    refused(done, 2, "no engine is named 'openalx'", "openalex")
    env = {"AISCI_ARXIV_URL": "http://user:secret-word@mirror/api"}
    done = aisci("literature", "x", "--engine", "arxiv", env=env)
    refused(done, 2, "AISCI_ARXIV_URL")
    assert "secret-word" not in done.stderr


def test_a_library_of_ones_own_is_added_to_searched_listed_and_emptied(tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    bib = tmp_path / "mine.bib"
    bib.write_text("@article{me2020, title={An Own Paper on Curricula}, author={Me, A}, "
                   "journal={J}, year={2020}}\n")  # fmt: skip
    done = aisci("literature", "add", str(bib), env=env)
    assert "1 new paper" in done.stdout, done.stderr
    assert "1 there already" in aisci("literature", "add", str(bib), env=env).stdout
    found = aisci("literature", "curricula", env=env)
    assert "An Own Paper on Curricula" in found.stdout
    assert "me2020" in aisci("literature", "list", env=env).stdout
    assert aisci("literature", "remove", "me2020", env=env).returncode == 0
    assert aisci("literature", "remove", "me2020", env=env).returncode == 2


def test_a_broken_file_is_told_by_line_and_column_and_nothing_is_added(tmp_path: Path) -> None:
    env = {"XDG_DATA_HOME": str(tmp_path / "data")}
    good, bad = tmp_path / "good.bib", tmp_path / "bad.bib"
    good.write_text("@misc{a2020b, title={A}, author={B}, year={2020}}\n")
    bad.write_text("@misc{c2020d,\n  title = {C\n")
    done = aisci("literature", "add", str(good), str(bad), env=env)
    refused(done, 2, "bad.bib:")
    assert "empty" in aisci("literature", "list", env=env).stdout
    fake = tmp_path / "fake.pdf"
    fake.write_text("no PDF at all")
    refused(aisci("literature", "add", str(fake), env=env), 2, "this is not a PDF")


def test_doctor_says_which_services_answer_and_what_is_left(
    served: Loopback, tmp_path: Path
) -> None:
    env = addresses(served, tmp_path) | {"S2_API_KEY": "s2-secret-0123456789"}
    done = aisci("doctor", "--literature", env=env)
    assert done.returncode == 0, done.stderr
    lines = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert "answered" in lines["OpenAlex"]
    assert "set OPENALEX_API_KEY" in lines["OpenAlex"]
    assert "S2_API_KEY" in lines["Semantic Scholar"]
    assert "s2-secret" not in done.stdout
    assert len(served.requests) == 4, "one call each"


V1 = {"Name": "grok_decay", "Title": "Grokking under weight decay", "Experiment": "Vary it.",
      "Interestingness": 7, "Feasibility": 8, "Novelty": 6, "novel": True}  # fmt: skip
V2 = {"Name": "flow", "Title": "Noise schedules of small diffusion models",
      "Short Hypothesis": "They matter.", "Related Work": "None.", "Abstract": "We vary.",
      "Experiments": [{"do": "this"}], "Risk Factors and Limitations": ["time"]}  # fmt: skip


def test_novelty_of_lists_of_the_ai_scientist_is_judged_and_written_again(
    served: Loopback, tmp_path: Path
) -> None:
    ideas = tmp_path / "ideas.json"
    ideas.write_text(json.dumps([V1, V2]))
    env = addresses(served, tmp_path)
    words = ("novelty", str(ideas), "--engine", "openalex", "--into", str(tmp_path / "out.json"),
             "--results", str(tmp_path / "results"))  # fmt: skip
    done = aisci(*words, env=env)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("undecided") >= 2, "builtin/sweep searches and never judges"
    rows = json.loads((tmp_path / "out.json").read_text())
    assert [row["novel"] for row in rows] == [None, None]
    assert rows[0]["Interestingness"] == 7
    assert rows[1]["Experiments"] == V2["Experiments"], "what is not read is kept"
    asked = len(served.requests)
    assert asked == 2
    assert aisci(*words, env=env).returncode == 0
    assert len(served.requests) == asked, "the record answers the same command again"


def test_a_list_that_is_none_is_refused_with_its_errors(tmp_path: Path) -> None:
    ideas = tmp_path / "ideas.json"
    ideas.write_text('[{"Name": "a"}, {"Title": 3, "Name": "b"}]')
    refused(aisci("novelty", str(ideas), "--results", str(tmp_path)), 2, "Title")
    refused(aisci("novelty", "none.json"), 2, "no such file")
