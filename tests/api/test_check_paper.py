"""``aisci check paper``: a run's own paper holds, and what nothing carries is told with how it was read."""

from __future__ import annotations

import json
import random
import re
import shutil
from pathlib import Path

import pytest

from orchestrator.api.paper_sources import facts_of
from orchestrator.api.papers import check_paper, check_source_of
from orchestrator.console.check import print_paper_check
from orchestrator.core.errors import BadFile, UnknownName
from orchestrator.record.paths import IdeaPaths

PAPER = r"""\documentclass{article}
\begin{document}
\title{A study of decay}
\maketitle
\begin{abstract}
%s
\end{abstract}
\section{Results}
%s
\end{document}
"""
CODE = "DECAY = 0.1\nprint(DECAY)\n"


def foreign(folder: Path, results: str, abstract: str = "We study decay.") -> Path:
    """A folder in the AI Scientist's format, with a baseline and one run."""
    for number, loss in enumerate((0.5, 0.25)):
        run = folder / f"run_{number}"
        run.mkdir(parents=True)
        info = {"toy": {"means": {"loss": loss, "loss_stderr": 0.01}}}
        (run / "final_info.json").write_text(json.dumps(info))
        (folder / f"run_{number}.py").write_text(CODE.replace("0.1", f"0.{number + 1}"))
    (folder / "latex").mkdir()
    (folder / "latex/template.tex").write_text(PAPER % (abstract, results))
    return folder


def test_the_paper_of_a_recorded_run_holds(quick_run: Path) -> None:
    (idea,) = (path.parent for path in quick_run.glob("*/journal.jsonl"))
    done = check_paper(idea)
    assert done.wrong == ()
    assert done.by_reference
    assert done.numbers > 20
    assert check_paper(quick_run) == done


def test_the_paper_of_the_newest_runs_only_idea_is_found_by_latest(
    quick_run: Path, tmp_path: Path
) -> None:
    (tmp_path / "quick").mkdir()
    shutil.copytree(quick_run, tmp_path / "quick" / "20260101_000000")
    assert check_paper(Path("latest"), "", tmp_path).wrong == ()
    with pytest.raises(UnknownName, match="there is no run"):
        check_paper(tmp_path / "nothing", "", tmp_path)


def test_a_changed_row_of_the_programs_own_tables_is_told(
    quick_run: Path, sample: random.Random
) -> None:
    (idea,) = (path.parent for path in quick_run.glob("*/journal.jsonl"))
    facts = facts_of(IdeaPaths(idea))
    tex = (idea / "latex/template.tex").read_text()
    assert check_source_of(facts, tex).wrong == ()
    rows = [match for match in re.finditer(r"&[^&\n]*?(\d)[^&\n]*", tex) if "code" not in match[0]]
    assert len(rows) > 20
    for match in sample.sample(rows, 12):
        new = str((int(match[1]) + sample.randrange(1, 10)) % 10)
        changed = tex[: match.start(1)] + new + tex[match.end(1) :]
        assert check_source_of(facts, changed).wrong, changed[match.start() - 80 : match.end() + 20]


def test_the_better_side_of_a_loss_needs_no_manifest(tmp_path: Path) -> None:
    """Run 1 has the lower loss."""
    for number, (text, right) in enumerate({
        "Run 1 improves on the baseline in loss.": True,
        "Run 1 has a better loss than the baseline.": True,
        "Run 1 has a worse loss than the baseline.": False,
        "The baseline outperforms run 1 in loss.": False,
    }.items()):  # fmt: skip
        done = check_paper(foreign(tmp_path / str(number), text))
        assert (done.wrong == ()) is right, text


def test_true_sentences_of_a_folder_without_a_record_hold(tmp_path: Path) -> None:
    text = "The loss is 0.50 in the baseline. In run 1 it is 0.25, a reduction of 50\\%."
    done = check_paper(foreign(tmp_path, text))
    assert done.wrong == ()
    assert not done.by_reference
    assert done.numbers >= 3


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("In run 1 the loss is 0.31.", "'0.31' is not what was measured or set"),
        ("The loss is 0.25 in run 7.", "there is no run 7"),
        ("In run 1 the loss is higher than in the baseline.", "'higher' is not what"),
        ("All runs used four A100 GPUs.", "does not say on which hardware"),
    ],
)
def test_a_sentence_that_no_result_carries_is_told_with_its_reason(
    text: str, told: str, tmp_path: Path
) -> None:
    done = check_paper(foreign(tmp_path, text))
    (wrong,) = done.wrong
    assert wrong.sentence.part == "results"
    assert any(told in problem for problem in wrong.problems), wrong.problems


def test_the_command_ends_with_1_for_a_paper_with_a_wrong_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = foreign(tmp_path, "In run 1 the loss is 0.31.")
    assert print_paper_check(folder, "", as_json=True) == 1
    said = json.loads(capsys.readouterr().out)
    assert [row["sentence"] for row in said["wrong"]] == ["In run 1 the loss is 0.31."]
    assert print_paper_check(folder, "", as_json=False) == 1
    assert "read as: run: run 1" in " ".join(capsys.readouterr().out.split())


def test_what_cannot_be_checked_is_refused_with_what_to_name_instead(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="no paper"):
        check_paper(tmp_path)
    folder = foreign(tmp_path / "b", "Nothing.")
    for number in range(2):
        (folder / f"run_{number}/final_info.json").unlink()
    with pytest.raises(UnknownName, match="no results"):
        check_paper(folder)


def test_results_that_are_no_json_are_refused_by_name(tmp_path: Path) -> None:
    folder = foreign(tmp_path, "Nothing.")
    (folder / "run_1/final_info.json").write_text("{")
    with pytest.raises(BadFile) as caught:
        check_paper(folder)
    assert caught.value.where.endswith("run_1/final_info.json")
