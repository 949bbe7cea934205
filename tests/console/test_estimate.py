"""``aisci run --estimate``, and the question before an expensive run, as a person meets them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.places import ROOT
from tests.support.warm import warm_aisci

pytestmark = pytest.mark.program
RUN = ("run", "nanoGPT_lite", "--scale", "smoke", "--policy", "ci-cpu")
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}
QUESTION = "start it? [y/N]"


def environment(folder: Path) -> dict[str, str]:
    """Of a user with no files of their own, no key for OpenAI, and no engine."""
    own = {f"XDG_{kind}_HOME": str(folder) for kind in ("CONFIG", "DATA", "CACHE")}
    return {"OPENAI_API_KEY": "", "ANTHROPIC_API_KEY": "", "COLUMNS": "80", **own, **NO_ENGINE}


def aisci(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    results = ("--results", str(folder / "results"))
    return warm_aisci(*RUN, *words, *results, cwd=ROOT, seconds=120, **environment(folder))


def test_the_screen_fits_eighty_columns_and_starts_nothing(tmp_path: Path) -> None:
    done = aisci(tmp_path, "--model", "openai/gpt-4o", "--ideas", "3", "--estimate")
    assert done.returncode == 0, done.stderr
    table, notes = done.stdout.split("\n\n")[1:]
    heads, *rows = table.splitlines()
    assert heads.split() == ["stage", "requests", "prompt", "cached", "answer", "US$", "time"]
    names = [row.split()[0] for row in rows]
    assert names == ["baseline", "ideas", "novelty", "experiments", "plots", "critique", "notes",
                     "writeup", "compile", "verify", "review", "total"]  # fmt: skip
    assert max(map(len, table.splitlines())) <= 80
    assert "From 6 recorded studies" in notes
    assert "50 tokens a second, assumed" in notes
    assert not (tmp_path / "results").exists()


def test_for_programs_it_is_one_object_whose_stages_add_up(tmp_path: Path) -> None:
    def estimate(*words: str) -> dict[str, object]:
        done = aisci(tmp_path, "--model", "openai/gpt-4o", "--estimate", "--json", *words)
        assert done.returncode == 0, done.stderr
        found: dict[str, object] = json.loads(done.stdout)["estimate"]
        return found

    one, three = estimate(), estimate("--ideas", "3")
    total = three["likely"]["total"]  # type: ignore[index]
    for key in ("requests", "prompt", "answer", "usd"):
        assert sum(stage[key] for stage in three["stages"]) == pytest.approx(total[key])  # type: ignore[attr-defined]
        assert total[key] == pytest.approx(3 * one["likely"]["total"][key])  # type: ignore[index]
    assert three["fewest"]["total"]["usd"] < total["usd"] < three["most"]["total"]["usd"]  # type: ignore[index]


def test_an_unknown_price_is_never_zero_and_the_screen_says_how_to_give_it(tmp_path: Path) -> None:
    done = aisci(tmp_path, "--model", "openai/mine", "--estimate")
    assert done.returncode == 0, done.stderr
    assert "not known" in done.stdout
    assert "No price is known for openai/mine" in done.stdout
    assert "--price IN,OUT" in done.stdout
    found = aisci(tmp_path, "--model", "openai/mine", "--estimate", "--json")
    total = json.loads(found.stdout)["estimate"]["likely"]["total"]
    assert total["usd"] is None
    assert total["prompt"] > 0
    free = aisci(tmp_path, "--model", "openai/mine", "--price", "0,0", "--estimate", "--json")
    assert json.loads(free.stdout)["estimate"]["likely"]["total"]["usd"] == 0


def test_each_role_is_charged_at_its_own_price(tmp_path: Path) -> None:
    words = ("--model", "openai/mine", "--price", "3,15", "--estimate", "--json")
    whole = json.loads(aisci(tmp_path, *words).stdout)["estimate"]
    roles = (*words, "--review-model", "openai/other")
    found = json.loads(aisci(tmp_path, *roles).stdout)["estimate"]
    assert found["unpriced"] == ["openai/other"]
    before = {one["stage"]: one["usd"] for one in whole["stages"]}
    now = {one["stage"]: one["usd"] for one in found["stages"]}
    assert now == before | {"critique": None, "writeup": None, "review": None}


def test_an_effort_makes_answers_longer_where_the_model_takes_it_and_says_what_is_assumed(
    tmp_path: Path,
) -> None:
    def answers(model: str, *words: str) -> float:
        done = aisci(tmp_path, "--model", model, "--estimate", "--json", *words)
        assert done.returncode == 0, done.stderr
        found: float = json.loads(done.stdout)["estimate"]["likely"]["total"]["answer"]
        return found

    thinker, other = "openai/gpt-6.1-sol", "openai/gpt-4o"
    plain = answers(thinker)
    assert plain < answers(thinker, "--effort", "low") < answers(thinker, "--effort", "high")
    assert plain < answers(thinker, "--effort", "reviewing=high")
    assert answers(other, "--effort", "high") == answers(other)
    shown = aisci(tmp_path, "--model", thinker, "--estimate", "--effort", "high").stdout
    assert "assumed: 500 at low" in " ".join(shown.split())
    wrong = aisci(tmp_path, "--model", thinker, "--estimate", "--effort", "most")
    assert wrong.returncode == 2
    assert "the levels are: low, medium, high" in wrong.stderr


def test_a_budget_that_the_estimate_passes_is_named(tmp_path: Path) -> None:
    priced = ("--model", "openai/mine", "--price", "30,150", "--estimate")
    done = aisci(tmp_path, *priced)
    assert "idea.budget.usd allows US$ 5.00" in " ".join(done.stdout.split())
    cheap = aisci(tmp_path, "--model", "openai/mine", "--price", "0.1,0.1", "--estimate")
    assert "budget.usd" not in cheap.stdout


@pytest.mark.parametrize("name", ["builtin/sweep", "scripted/replies.jsonl"])
def test_what_asks_no_model_costs_nothing_and_says_so(name: str, tmp_path: Path) -> None:
    (tmp_path / "replies.jsonl").write_text('{"text": "ok"}\n')
    name = name.replace("replies", f"{tmp_path}/replies")
    done = aisci(tmp_path, "--model", name, "--estimate")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert "asks no language model: it costs nothing" in told
    assert ("at most 2 experiments an idea" in told) == name.startswith("builtin")


def test_what_a_sweep_takes_is_its_experiments_at_the_baselines_length(tmp_path: Path) -> None:
    done = aisci(tmp_path, "--model", "builtin/sweep", "--estimate", "--ideas", "3", "--json")
    free = json.loads(done.stdout)["estimate"]["free"]
    assert free["runs"] == 2
    first = 0 if free["measured"] else free["baseline_seconds"]
    assert free["seconds"] == pytest.approx(first + 6 * free["baseline_seconds"])


EXPENSIVE = ("--model", "openai/mine", "--price", "3,15", "--ideas", "5")


def at_terminal(folder: Path, answer: str, *words: str) -> tuple[int, str]:
    """The exit code and the screen of a run at a terminal, whose question gets that answer."""
    key = {"OPENAI_API_KEY": "sk-none", "TERM": "dumb"}
    command = [sys.executable, str(ROOT / "cli.py"), *RUN, *words]
    child, screen = pty.fork()
    if not child:
        os.chdir(folder)
        os.execve(sys.executable, command, {**os.environ, **environment(folder), **key})
    text, left = b"", answer
    while True:
        try:
            piece = os.read(screen, 4096)
        except OSError:  # Linux: the other end is closed
            piece = b""
        if not piece:
            break
        text += piece
        if left and QUESTION.encode() in text:
            os.write(screen, f"{left}\n".encode())
            left = ""
    os.close(screen)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text.decode()


def test_an_expensive_run_at_a_terminal_starts_after_a_yes_alone(tmp_path: Path) -> None:
    code, screen = at_terminal(tmp_path, "n", *EXPENSIVE)
    assert code == 1
    assert "nothing was started" in screen
    assert "No Docker engine" not in screen
    assert not (tmp_path / "results").exists()
    code, screen = at_terminal(tmp_path, "y", *EXPENSIVE)
    assert "No Docker engine answers" in screen, "the run went on, to the engine that is not there"


@pytest.mark.parametrize(
    "words",
    [(*EXPENSIVE, "--yes"), (*EXPENSIVE, "--quiet"), (*EXPENSIVE, "--json"),
     (*EXPENSIVE, "--max-usd", "2"), ("--model", "openai/mine", "--price", "0.1,0.1"), ()],
)  # fmt: skip
def test_a_run_that_need_not_be_asked_about_is_not(words: tuple[str, ...], tmp_path: Path) -> None:
    _, screen = at_terminal(tmp_path, "n", *words)
    assert QUESTION not in screen
    assert "No Docker engine answers" in screen


def test_without_a_terminal_nothing_is_asked(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"OPENAI_API_KEY": "sk-none"}
    done = warm_aisci(*RUN, *EXPENSIVE, cwd=tmp_path, seconds=120, **env)
    assert QUESTION not in done.stdout
    assert "No Docker engine answers" in done.stderr
