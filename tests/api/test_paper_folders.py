"""``aisci check paper FOLDER`` on what a stranger may have put there: told in words, and never a plain success."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.api.papers import check_paper
from orchestrator.console.check import print_paper_check
from orchestrator.core.errors import BadFile, UnknownName, UserError
from orchestrator.research.idea_lists import listed_ideas
from tests.api.test_check_paper import foreign

TRUE = "In run 1 the loss is 0.25."
FALSE = "In run 1 the loss is 0.31."
INFO = "run_1/final_info.json"


def piped(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def made_folder(path: Path) -> None:
    path.unlink()
    (path / "inside").mkdir(parents=True)


@pytest.mark.parametrize(
    "name", ["latex/template.tex", INFO, "run_1.py", "template.yaml", "paper.tex"]
)
def test_a_link_in_place_of_a_file_that_is_read_is_an_error_of_whoever_asks(
    name: str, tmp_path: Path
) -> None:
    folder = foreign(tmp_path / "a" / "b", TRUE)
    if name == "paper.tex":
        shutil.move(folder / "latex/template.tex", folder / name)
    if name == "template.yaml":
        (folder / name).write_text("")
    (folder / name).rename(tmp_path / "away")
    (folder / name).symlink_to(tmp_path / "away")
    with pytest.raises(BadFile, match="cannot be read") as caught:
        check_paper(folder)
    error = caught.value
    assert (error.exit_code, error.where) == (2, str(folder / name))
    assert (error.why, bool(error.todo)) == ("a link is in its place", True)


def test_a_pipe_in_place_of_the_paper_is_named_and_not_waited_for(tmp_path: Path) -> None:
    folder = foreign(tmp_path, TRUE)
    piped(folder / "latex/template.tex")
    with pytest.raises(BadFile, match="cannot be read") as caught:
        check_paper(folder)
    assert caught.value.why == "it is no plain file"


def test_a_list_of_ideas_that_is_a_link_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "ideas.json").write_text("[]")
    (tmp_path / "link.json").symlink_to("ideas.json")
    with pytest.raises(BadFile, match="cannot be read"):
        listed_ideas(tmp_path / "link.json")


def linked_run(folder: Path) -> None:
    shutil.copytree(folder / "run_1", folder / "run_2")
    shutil.rmtree(folder / "run_1")
    (folder / "run_1").symlink_to("run_2")


@pytest.mark.parametrize(
    ("spoil", "name", "why"),
    [
        (linked_run, "run_1", "a link is in its place"),
        (lambda folder: made_folder(folder / INFO), INFO, "no plain file"),
        (lambda folder: piped(folder / INFO), INFO, "no plain file"),
        (lambda folder: (folder / "run_7").write_text(""), "run_7", "it is no folder"),
        (lambda folder: (folder / "run_0200").mkdir(), "run_0200", "only run_0 to run_199"),
        (lambda folder: (folder / "run_200").mkdir(), "run_200", "only run_0 to run_199"),
    ],
)
def test_a_run_that_is_left_out_is_told_on_the_screen_and_to_programs(
    spoil: Callable[[Path], object],
    name: str,
    why: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = foreign(tmp_path, "We study decay.")
    assert print_paper_check(folder, "", as_json=False) == 0
    capsys.readouterr()
    spoil(folder)
    assert print_paper_check(folder, "", as_json=False) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert name in shown
    assert why in shown
    assert "not carried: 0; not read: 1" in shown
    assert print_paper_check(folder, "", as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["wrong"], told["whole"]) == ([], False)
    ((named, reason),) = told["left_out"]
    assert named == name
    assert why in reason


def test_without_any_readable_run_the_error_says_what_was_left_out(tmp_path: Path) -> None:
    folder = foreign(tmp_path, TRUE)
    for number in range(2):
        piped(folder / f"run_{number}/final_info.json")
    with pytest.raises(UnknownName, match="no results") as caught:
        check_paper(folder)
    assert "run_1/final_info.json: it is no plain file" in caught.value.why


def test_a_file_that_the_source_reads_in_is_checked_as_part_of_it(tmp_path: Path) -> None:
    folder = foreign(tmp_path, "\\input{results}\n% \\input{draft}\n\\include{more/end}")
    (folder / "latex/results.tex").write_text(f"{TRUE}\n\\input{{deeper}} % \\input{{draft}}\n")
    (folder / "latex/deeper.tex").write_text(f"{FALSE}\n\\endinput\nThe loss is 9.9.\n")
    (folder / "latex/more").mkdir()
    (folder / "latex/more/end.tex").write_text("The loss is 0.77 in run 1.\n")
    done = check_paper(folder)
    assert [one.sentence.text for one in done.wrong] == [FALSE, "The loss is 0.77 in run 1."]
    assert {one.sentence.part for one in done.wrong} == {"results"}
    assert (done.left_out, done.numbers) == ((), 1)


@pytest.mark.parametrize(
    ("command", "name", "why"),
    [
        (r"\input{gone}", "gone", "there is no such file"),
        (r"\input gone", "gone", "there is no such file"),
        (r"\input{../../secret}", "../../secret", "leads out of the folder"),
        (r"\include{/etc/hostname}", "/etc/hostname", "leads out of the folder"),
        (r"\input{linked}", "linked", "a link is in its place"),
        (r"\input{away/secret}", "away/secret", "a link is in its place"),
        (r"\input{pipe}", "pipe", "it is no plain file"),
        (r"\input{big}", "big", "bytes, over"),
        (r"\input{binary}", "binary", "it is not UTF-8 text"),
        (r"\input{\name}", r"\input{\name}", "its name is not written out"),
        (r"\import{parts/}{one}", r"\import{parts/}{one}", "its name is not written out"),
        (r"\input{itself}", "itself", "8 files deep"),
    ],
)
def test_a_file_that_is_not_read_in_is_named_and_the_answer_is_no_success(
    command: str, name: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "secret.tex").write_text(FALSE)
    folder = foreign(tmp_path / "folder", command)
    latex = folder / "latex"
    (latex / "linked.tex").symlink_to(tmp_path / "secret.tex")
    (latex / "away").symlink_to(tmp_path)
    os.mkfifo(latex / "pipe.tex")
    with (latex / "big.tex").open("wb") as file:
        file.truncate((1 << 20) + 1)
    (latex / "binary.tex").write_bytes(b"\x00\xff")
    (latex / "itself.tex").write_text(r"\input{itself}")
    done = check_paper(folder)
    ((named, reason),) = done.left_out
    assert named == name
    assert why in reason
    assert FALSE not in [one.sentence.text for one in done.sentences]
    assert print_paper_check(folder, "", as_json=False) == 1
    assert why in " ".join(capsys.readouterr().out.split())


def test_files_that_read_in_each_other_end_at_a_bound(tmp_path: Path) -> None:
    folder = foreign(tmp_path, r"\input{many}")
    (folder / "latex/many.tex").write_text("\\input{many} \\input{many}\n" * 20)
    done = check_paper(folder)
    assert done.left_out
    assert len(done.sentences) < 20


def test_a_paper_that_was_edited_on_disk_is_told_and_the_record_is_checked(
    quick_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tmp_path / "run"
    shutil.copytree(quick_run, run)
    (source,) = run.glob("*/latex/template.tex")
    assert print_paper_check(run, "", as_json=False) == 0
    assert "as recorded" not in capsys.readouterr().out
    source.write_text(source.read_text() + "% edited\n")
    assert print_paper_check(run, "", as_json=False) == 1
    shown = " ".join(capsys.readouterr().out.split())
    assert "is not the recorded source: that file was not checked" in shown
    assert print_paper_check(run, "", as_json=True) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["wrong"], told["whole"]) == ([], False)
    assert str(source) in told["differs"]
    source.unlink()
    source.symlink_to("/dev/zero")
    assert check_paper(run).differs
    source.unlink()
    assert check_paper(run).whole, "a record without its files is whole"


def test_a_scale_that_the_folder_or_the_record_does_not_have_is_refused(
    quick_run: Path, tmp_path: Path
) -> None:
    folder = foreign(tmp_path, TRUE)
    assert check_paper(folder, "full").wrong == ()
    with pytest.raises(UnknownName, match="declares no scales"):
        check_paper(folder, "banana")
    with pytest.raises(UserError, match="another scale") as caught:
        check_paper(quick_run, "banana")
    assert check_paper(quick_run, caught.value.why.rpartition(" ")[2]).whole


def test_a_file_in_place_of_a_folder_is_answered_with_the_folder_to_name(tmp_path: Path) -> None:
    folder = foreign(tmp_path / "theirs", TRUE)
    with pytest.raises(UserError, match="this is a file") as caught:
        check_paper(folder / "latex/template.tex", "", tmp_path)
    assert caught.value.todo.endswith(f"`aisci check paper {folder}`")
    other = tmp_path / "notes.txt"
    other.write_text("")
    with pytest.raises(UserError, match="this is a file") as caught:
        check_paper(other, "", tmp_path)
    assert "no folder above it holds run_0/" in caught.value.why


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x89PNG\r\n\x1a\n\x00\x00", "it is binary"),
        ("caf\xe9".encode("latin-1"), "it may be Latin-1"),
        ("text".encode("utf-16"), "it is UTF-16"),
    ],
)
def test_a_source_that_is_no_text_is_said_to_be_what_it_is(
    data: bytes, why: str, tmp_path: Path
) -> None:
    folder = foreign(tmp_path, TRUE)
    (folder / "latex/template.tex").write_bytes(data)
    with pytest.raises(BadFile, match="is not UTF-8 text") as caught:
        check_paper(folder)
    assert why in caught.value.why
    assert "save it as UTF-8" in caught.value.todo


def test_a_byte_order_mark_before_results_is_no_fault(tmp_path: Path) -> None:
    folder = foreign(tmp_path, TRUE)
    info = folder / INFO
    info.write_bytes(b"\xef\xbb\xbf" + info.read_bytes())
    done = check_paper(folder)
    assert (done.wrong, done.whole) == ((), True)
    assert done.numbers >= 1
