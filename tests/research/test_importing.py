"""What a results folder of the AI Scientist says: pure, and safe for whatever its files hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.tree import digest
from orchestrator.research.importing.content import read_content
from orchestrator.research.importing.imported_review import read_review
from orchestrator.research.importing.notes_file import read_notes
from orchestrator.research.importing.paper_source import section_of, split_paper
from orchestrator.research.importing.values import ImportedContent
from tests.support.scientist_results import (
    FOLDER,
    IDEA,
    NAME,
    REVIEW,
    TEX,
    half_files,
    info,
    whole_files,
)


def content(changed: dict[str, bytes | None] | None = None, name: str = FOLDER) -> ImportedContent:
    files: dict[str, bytes | None] = {**whole_files(), **(changed or {})}
    return read_content({path: data for path, data in files.items() if data is not None}, name)


def why(found: ImportedContent, what: str) -> str:
    return dict(found.missing)[what]


def test_a_whole_folder_has_idea_runs_figures_paper_and_reviews() -> None:
    found = content()
    assert (found.idea.name, found.idea.title) == (NAME, IDEA["Title"])
    assert (found.idea.feasibility, found.idea.novel) == (9, None), "its verdict is not ours"
    assert found.idea_from == "ideas.json"
    assert [run.name for run in found.runs] == ["baseline", "Decay of 0.9", "Decay of 0.5"]
    assert [run.base for run in found.runs] == [0, 0, 1]
    assert found.runs[1].description == "The step size is multiplied by 0.9 after each epoch."
    assert found.runs[1].code.get("experiment.py") == digest(whole_files()["run_1.py"])
    assert found.runs[0].code.files == (), "the last experiment.py is not the baseline's"
    assert [(one.name, one.caption) for one in found.figures] == [
        ("final_loss.png", "The final loss of the three runs.")
    ]
    assert found.pdf == digest(whole_files()[f"{NAME}_improved.pdf"])
    assert [one.overall for one in found.reviews] == [4, 3], "the last version's comes first"
    assert found.missing == (("run_0.py", "the code of the baseline is not known"),)


def test_half_a_folder_names_what_is_missing() -> None:
    found = read_content(half_files(), FOLDER)
    assert found.idea_from == "notes.txt"
    assert len(found.runs) == 2
    assert (found.paper, found.pdf, found.reviews, found.figures) == (None, "", (), ())
    assert {what for what, _ in found.missing} == {
        "latex/template.tex", "the PDF of the paper", "figures", "a review", "run_0.py",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "name", "source"),
    [
        ({"ideas.json": None}, FOLDER, "notes.txt"),
        ({"ideas.json": None}, "20240801_123456_a_seed", "seed_ideas.json"),
        ({"ideas.json": b"[" * 100_000}, FOLDER, "notes.txt"),
        ({"ideas.json": b'{"Name": NaN}'}, FOLDER, "notes.txt"),
        ({"ideas.json": b"\xff\xfe"}, FOLDER, "notes.txt"),
        ({"ideas.json": None, "notes.txt": None}, FOLDER, "the folder's name"),
        ({"ideas.json": b'[1, {"Name": 3}, {"Name": "step_decay"}]'}, FOLDER, "ideas.json"),
    ],
)
def test_the_idea_comes_from_the_first_file_that_has_it(
    changed: dict[str, bytes | None], name: str, source: str
) -> None:
    found = content(changed, name)
    assert found.idea_from == source
    assert found.idea.name
    assert found.idea.title
    assert found.idea.experiment


def test_an_idea_fits_our_own_list() -> None:
    long = [IDEA | {"Title": "t" * 5000, "Experiment": "e" * 50_000, "Novelty": 99}]
    idea = content({"ideas.json": json.dumps(long).encode()}).idea
    assert len(idea.title) <= 200
    assert len(idea.experiment) == 4000
    assert idea.novelty is None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"\x80\x04pickle", "not UTF-8"),
        (b'{"line": ' * 50_000, "deep"),
        (b'{"line": {"means": {}}}', "no number"),
        (b'{"line": {"means": {"loss": NaN}}}', "no number is finite"),
        (b'{"a": 1, "a": 2}', "twice"),
        (json.dumps({"line": {"means": {f"m{n}": 1.0 for n in range(6000)}}}).encode(), "5000"),
    ],
)
def test_results_that_cannot_be_read_are_missing_and_the_other_runs_stay(
    data: bytes, reason: str
) -> None:
    found = content({"run_1/final_info.json": data})
    assert [run.number for run in found.runs] == [0, 2]
    assert found.runs[1].base == 0
    assert reason in why(found, "the results of run 1")


def test_a_description_ends_where_results_or_an_analysis_begin() -> None:
    notes = b"## Run 1: Decay\nDescription: The step is halved.\nAfter each epoch.\n\nResults:\n{'line': 1}\nAnalysis: x"
    assert (
        content({"notes.txt": notes}).runs[1].description == "The step is halved. After each epoch."
    )


def test_a_figure_may_stand_beside_the_source_and_one_that_is_not_there_is_named() -> None:
    figures = {"final_loss.png": None, "latex/final_loss.png": whole_files()["final_loss.png"]}
    assert [one.name for one in content(figures).figures] == ["final_loss.png"]
    found = content({"final_loss.png": None})
    assert found.figures == ()
    assert "left out" in why(found, "final_loss.png")


def test_text_that_a_bare_percent_sign_hides_is_named() -> None:
    tex = TEX.replace("No other schedule was tried.", "It falls by 12.8% against the others.")
    assert "%" in why(content({"latex/template.tex": tex.encode()}), "latex/template.tex")


def test_runs_with_one_name_are_told_apart_and_names_do_not_act() -> None:
    notes = b"## Run 1: baseline\nx\n## Run 2: baseline\n### Run 3: a\x1b[2Jb\nDescription: y"
    found = content({"notes.txt": notes, "run_3/final_info.json": info(0.1)})
    names = [run.name for run in found.runs]
    assert len({*names}) == 4
    assert all(name.isprintable() for name in names)


def test_a_source_is_split_and_what_is_ours_to_write_is_a_placeholder() -> None:
    paper = split_paper(TEX)
    sections = dict(paper.sections)
    assert set(sections) == {
        "title", "abstract", "introduction", "related", "background", "method", "setup", "results",
        "conclusion",
    }  # fmt: skip
    assert paper.kept == ("Ablation of the Schedule",)
    assert (
        sections["method"] == "After each epoch the step size is multiplied by a constant factor."
    )
    assert "includegraphics" in sections["results"]
    assert "\\label{sec:intro}" in paper.skeleton
    assert "No other schedule was tried." in paper.skeleton
    for text in sections.values():
        assert text not in paper.skeleton
    assert paper.skeleton.count("RESULTS HERE") == 1
    assert paper.skeleton.index("CONCLUSIONS HERE") < paper.skeleton.index("\\bibliography{")


@pytest.mark.parametrize(
    ("heading", "name"),
    [
        ("Introduction", "introduction"), ("RELATED WORK", "related"), ("Background", "background"),
        ("Experimental Setup", "setup"), ("Our Method", "method"), ("Methodology", "method"),
        ("Experimental Results", "results"), ("Experiments", "results"), ("Discussion", "discussion"),
        ("Conclusions and Future Work", "conclusion"), ("Acknowledgements", ""), ("", ""),
    ],
)  # fmt: skip
def test_a_heading_names_a_section_of_ours_or_none(heading: str, name: str) -> None:
    found = section_of(heading)
    assert (found.name if found else "") == name


def test_a_section_that_was_never_written_is_none() -> None:
    paper = split_paper(TEX.replace("No other schedule was tried.", "x").replace(
        "After each epoch the step size is multiplied by a constant factor.", "METHOD HERE"
    ))  # fmt: skip
    assert "method" not in dict(paper.sections)
    assert "METHOD HERE" in paper.skeleton


def test_words_of_a_text_are_no_placeholder() -> None:
    paper = split_paper(TEX.replace("No other schedule was tried.", "x").replace(
        "The step size is a constant", "RESULTS HERE and RESULTS TABLE HERE. It is a constant"
    ))  # fmt: skip
    assert "HERE" not in dict(paper.sections)["background"]


@pytest.mark.parametrize(
    "source",
    [
        b"no paper at all", b"\xff\xfe\x00binary", b"\\begin{document}" * 3 + b"\\end{document}",
        b"\\begin{document}", b"x" * ((1 << 20) + 1),
    ],
)  # fmt: skip
def test_a_source_that_is_no_paper_is_missing(source: bytes) -> None:
    found = content({"latex/template.tex": source})
    assert found.paper is None
    assert why(found, "latex/template.tex")
    assert {one.name for one in found.figures} == {"final_loss.png", "unused.png"}


def test_references_of_a_file_beside_the_source_become_its_block() -> None:
    start, end = TEX.index("\\begin{filecontents}"), TEX.index("\\title")
    bib = b"@article{robbins1951, title={A Method}, year={1951}}\n\\end{filecontents} \\evil"
    found = content(
        {
            "latex/template.tex": (TEX[:start] + TEX[end:]).encode(),
            "latex/references.bib": bib,
        }
    )
    assert found.paper is not None
    assert found.paper.skeleton.startswith(
        "\\begin{filecontents}{references.bib}\n@article{robbins"
    )
    assert found.paper.skeleton.count("\\end{filecontents}") == 1


@pytest.mark.parametrize(
    "data",
    [b"", b"[]", b'{"Summary": 3}', b"I reject this.", b"{" * 100_000, b'{"Summary": "x", "Overall": 1e999}'],
)  # fmt: skip
def test_what_is_no_review_is_missing(data: bytes) -> None:
    found = content({"review.txt": data, "review_improved.txt": None})
    assert found.reviews == ()
    assert why(found, "review.txt")


def test_a_review_is_read_within_bounds() -> None:
    odd: dict[str, Any] = REVIEW | {
        "Summary": "s" * 9000, "Strengths": "one text", "Weaknesses": ["w"] * 99, "Questions": {"a": 1},
        "Originality": 9, "Quality": "4", "Clarity": 2.0, "Overall": 0, "Confidence": True,
        "Decision": "Strong Accept", "Ethical Concerns": "none",
    }  # fmt: skip
    review = read_review(json.dumps(odd).encode())
    assert len(review.summary) == 6000
    assert (review.strengths, len(review.weaknesses), review.questions) == (("one text",), 20, ())
    assert dict(review.scores) == {
        "Clarity": 2, "Significance": 1, "Soundness": 2, "Presentation": 3, "Contribution": 1,
    }  # fmt: skip
    assert (review.overall, review.confidence, review.decision) == (None, None, "")
    assert review.ethical_concerns is None


@given(st.binary(max_size=400), st.sampled_from(sorted(whole_files())))
def test_any_bytes_in_any_file_are_read_without_an_error(data: bytes, path: str) -> None:
    content({path: data})


@given(st.text(alphabet="\\{}%ab \n#Run12:*", max_size=300))
def test_any_notes_and_any_source_are_read_without_an_error(text: str) -> None:
    read_notes(text)
    content({"latex/template.tex": f"\\begin{{document}}{text}\\end{{document}}".encode()})


@pytest.mark.parametrize("piece", ["\\title{", "\\begin{abstract}", "\\section{x", "{", "%", "\\cite{", "\\begin{figure}"])  # fmt: skip
def test_a_source_of_a_million_characters_is_read_in_seconds(piece: str) -> None:
    body = piece * (900_000 // len(piece))
    content({"latex/template.tex": f"\\begin{{document}}{body}\\end{{document}}".encode()})
    content({"notes.txt": (f"## Run 1: x\n{piece}\n" * (900_000 // (len(piece) + 13))).encode()})
