"""Write-up and verification: no placeholder, no invented citation and no wrong number gets by."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.core.deadline import Deadline
from orchestrator.core.edit import EditRequest
from orchestrator.core.errors import WrongFormat
from orchestrator.core.job import Job, JobResult
from orchestrator.core.model import Ask
from orchestrator.core.research import Paper
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, references, tables
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import number_check, verify
from orchestrator.research.stages import paper_edit as papers
from orchestrator.research.stages.writeup import SECTIONS, write_sections
from tests.support import paper_rig as rig


def written(folder: Path, model: rig.Writer | None = None) -> tuple[Study, Ports]:
    here = rig.ports(folder, model=model)
    return write_sections(rig.study(here.blobs), here.within("writeup")), here


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Ports]:
    """The sweep's paper, as source."""
    return written(tmp_path_factory.mktemp("paper"))


def unread(study: Study, here: Ports, tex: str) -> tuple[list[str], int]:
    """What is wrong with the numbers of ``tex``, and how many numbers there were."""
    changed = rig.with_source(study, here, tex)
    ledger = number_check.number_sources(changed, here)
    claims, problems = number_check.check_numbers(changed, here, ledger)
    return problems, len(claims)


def test_the_sweeps_paper_has_every_section_and_no_placeholder(
    paper: tuple[Study, Ports],
) -> None:
    tex = papers.paper_source(*paper)
    assert not re.search(r"\b[A-Z]{4,} HERE\b", latex.uncommented(tex))
    assert r"\author{builtin/sweep\\" in tex
    assert latex.graphics(tex) == paper[0].figures
    assert tex.count(papers.study_results_table(paper[0])) == 1
    assert tex.count(tables.runs_table(paper[0].runs)) == 1


def test_a_skeleton_saved_on_windows_gets_the_same_paper(
    paper: tuple[Study, Ports], tmp_path: Path
) -> None:
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    skeleton = here.blobs.get(study.tree.as_dict()[latex.TEX])
    saved = here.blobs.put(b"\xef\xbb\xbf" + skeleton.replace(b"\n", b"\r\n"))
    study = replace(study, tree=study.tree.updated({latex.TEX: saved}))
    written = write_sections(study, here.within("writeup"))
    assert papers.paper_source(written, here) == papers.paper_source(*paper)
    assert references.references(papers.paper_source(written, here))


def test_a_template_with_no_manifest_gets_a_paper_too(tmp_path: Path) -> None:
    here = rig.ports(tmp_path)
    study = write_sections(rig.plain_study(here.blobs), here.within("writeup"))
    tex = papers.paper_source(study, here)
    assert "HERE" not in tex
    assert "Department of Averages" not in tex
    problems, count = unread(study, here, tex)
    assert problems == []
    assert count > 10


@pytest.mark.parametrize("knob", ["weight_decay", "learning_rate", "warmup_updates", "init_scale"])
def test_a_sweep_of_any_declared_knob_verifies(tmp_path: Path, knob: str) -> None:
    here, sample = rig.ports(tmp_path), random.Random(knob)
    study = rig.study(here.blobs)
    declared = study.template.manifest.knobs[knob]
    values = (declared.default, *(v for v in declared.values if v != declared.default))
    runs = tuple(
        replace(
            study.runs[min(n, 1)],
            number=n,
            description=f"{declared.constant} = {value!r} instead of {declared.default!r}",
        )
        for n, value in enumerate(values)
    )
    idea = replace(study.idea, name=f"sweep_{knob}", title=f"A sweep of {knob}")
    rows = tuple((n, rig.results(0.1 * n, sample)) for n in range(len(values)))
    study = replace(study, idea=idea, runs=runs, results=rows)
    study = write_sections(study, here.within("writeup"))
    problems, _ = unread(study, here, papers.paper_source(study, here))
    assert problems == []


def test_the_reference_list_has_what_is_cited_and_nothing_else(
    paper: tuple[Study, Ports],
) -> None:
    tex = papers.paper_source(*paper)
    keys = {reference.key for reference in references.references(tex)}
    assert keys == set(references.cited(tex))
    assert "krogh1992simple" in keys


def test_every_number_of_the_sweeps_paper_resolves(paper: tuple[Study, Ports]) -> None:
    problems, count = unread(*paper, papers.paper_source(*paper))
    assert problems == []
    assert count > 80


@pytest.mark.parametrize(
    ("place", "planted"),
    [
        (r"\end{abstract}", "The final validation loss of run 2 on x\\_plus\\_y is 0.4321."),
        (r"\end{abstract}", "An improvement of 37.5\\% was seen."),
        (r"\section{Conclusion}", "In run 1 accuracy reaches $0.99{}7$."),
        (
            r"\section{Conclusion}",
            r"\begin{tabular}{lr} x\_plus\_y, run 1 & 9.876 \\ \end{tabular}",
        ),
        (r"\section{Conclusion}", "Run 2 has a final validation loss of 0.5 nats."),
        (r"\section{Conclusion}", "On x\\_plus\\_y, run 1 reaches 0.1."),
        (r"\section{Conclusion}", "As run 7 shows, it holds."),
        (r"\section{Conclusion}", r"We trained for $1.5\times 10^{4}$ updates."),
    ],
)
def test_a_planted_wrong_number_is_found_with_its_sentence(
    paper: tuple[Study, Ports], place: str, planted: str
) -> None:
    tex = papers.paper_source(*paper)
    problems, _ = unread(*paper, tex.replace(place, f"{planted}\n{place}"))
    assert len(problems) == 1, problems


def test_a_changed_digit_anywhere_in_the_results_is_found(paper: tuple[Study, Ports]) -> None:
    """Each printed mean of the results section, with its second digit changed, one at a time."""
    tex = papers.paper_source(*paper)
    start = tex.index(r"\section{Results}")
    ledger, found = number_check.number_sources(*paper), 0
    spots = list(re.finditer(r"(?<=\$\d\.)\d", tex[start : tex.index(r"\section{Conclusion}")]))
    assert len(spots) > 10
    for spot in spots:
        at = start + spot.start()
        digit = str((int(tex[at]) + 4) % 10)
        changed = rig.with_source(*paper, tex[:at] + digit + tex[at + 1 :])
        found += bool(number_check.check_numbers(changed, paper[1], ledger)[1])
    assert found == len(spots)


def test_a_number_that_only_the_page_shows_is_found(paper: tuple[Study, Ports]) -> None:
    study, here = paper
    shown = Paper(files=study.tree, pages=("Loss is 0.1234 here.\nReferences\n[1] 5.5555",))
    changed = replace(study, paper=shown)
    _, problems = number_check.check_numbers(
        changed, here, number_check.number_sources(changed, here)
    )
    assert problems == ["a page prints '0.1234', which its source does not show as a number"]


def test_a_section_that_is_never_usable_leaves_the_stage_with_what_was_wrong(
    tmp_path: Path,
) -> None:
    model = rig.Writer(lambda ask, text: "no" if ask.purpose == "writeup.results" else text)
    with pytest.raises(WrongFormat) as caught:
        written(tmp_path, model)
    assert caught.value.transient
    assert "the section says next to nothing" in caught.value.why
    asked = [ask for ask in model.asked if ask.purpose == "writeup.results"]
    assert len(asked) == 3
    draft, complaint = asked[1].messages[-2:]
    assert (draft.role, draft.content) == ("assistant", "no")
    assert "says next to nothing" in complaint.content


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        (lambda text: text + r" See \citep{ghost2024}.", "ghost2024"),
        (lambda text: text + r" \input{/etc/passwd}", r"\input"),
        (lambda text: text.replace("RESULTS TABLE HERE", ""), "RESULTS TABLE HERE"),
        (lambda text: text.replace("val_curves.png", "other.png"), "other.png"),
        (lambda text: text + r" \end{document}", "end{document}"),
        (lambda text: f"<<<<<<< SEARCH\nX HERE\n=======\n{text}\n>>>>>>> REPLACE", "text alone"),
    ],
)
def test_a_section_with_a_fault_is_sent_back_with_the_fault(
    tmp_path: Path, spoil: Callable[[str], str], why: str
) -> None:
    seen: list[str] = []

    def change(ask: Ask, text: str) -> str:
        if ask.purpose != "writeup.results":
            return text
        seen.append(ask.messages[-1].content)
        return text if len(seen) > 1 else spoil(text)

    study, here = written(tmp_path, rig.Writer(change))
    assert len(seen) == 2
    assert why in seen[1]
    assert why == "RESULTS TABLE HERE" or why not in latex.body(
        papers.paper_source(study, here)
    ).replace(r"\end{document}", "")


def test_a_paper_is_one_conversation_whose_facts_are_told_once(tmp_path: Path) -> None:
    model = rig.Writer(lambda _ask, text: text)
    written(tmp_path, model)
    queries, *asked = model.asked
    assert queries.purpose == "writeup.queries"
    assert [ask.purpose for ask in asked] == [f"writeup.{section.name}" for section in SECTIONS]
    first = data_blocks(asked[0].messages[0].content)
    assert {"idea", "template", "metrics", "results", "figures", "citations", "task"} <= set(first)
    for before, after in pairwise(asked):
        told = after.messages[: len(before.messages)]
        assert told == before.messages, "each request begins with the whole one before it"
        assert [one.role for one in after.messages[len(told) :]] == ["assistant", "user"]
    sent = sum(len(one.content) for ask in asked for one in ask.messages)
    new = sum(len(one.content) for one in asked[-1].messages)
    assert (sent - new) / sent > 0.8, "most of what is sent repeats a prefix"


def test_a_number_that_nobody_mends_leaves_the_paper_unverified_and_is_named(
    tmp_path: Path,
) -> None:
    class Same:
        """A sandbox whose LaTeX always goes well."""

        def run(self, job: Job, within: Deadline) -> JobResult:  # noqa: ARG002  # the port's
            raise AssertionError(job.argv)

    here = rig.ports(tmp_path, rig.sweep, Same())
    study = write_sections(rig.study(here.blobs), here.within("writeup"))
    tex = papers.paper_source(study, here).replace(
        r"\end{abstract}", "It falls to 0.4321.\n\\end{abstract}"
    )
    study = rig.with_source(study, here, tex)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "compile_paper", lambda study, _ports: study)
        study = verify.verify_numbers(study, here.within("verify"))
    assert "It falls to 0.4321." in verify.unresolved_failure(study).why
    assert not study.claims
    first_page = papers.paper_source(study, here).partition(r"\maketitle")[2][:600]
    assert r"\textbf{Not verified.}" in first_page
    assert "It falls to 0.4321." in first_page


def test_the_programs_own_tables_need_no_author_for_their_numbers(tmp_path: Path) -> None:
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    runs = tuple(replace(run, name=f"after {540 + run.number} updates") for run in study.runs)
    study = write_sections(replace(study, runs=runs), here.within("writeup"))
    assert "after 541 updates" in papers.paper_source(study, here)
    claims, problems = number_check.check_numbers(
        study, here, number_check.number_sources(study, here)
    )
    assert problems == []
    assert {"541", "542"} <= {claim.text for claim in claims}


def test_a_correction_that_leaves_some_numbers_is_kept_and_the_rest_named(tmp_path: Path) -> None:
    def author(request: EditRequest, files: dict[str, str]) -> str:
        if request.purpose != "verify.fix":
            return rig.sweep(request, files)
        return "<<<<<<< SEARCH\nIt falls to 0.4321.\n=======\nIt falls.\n>>>>>>> REPLACE"

    here = rig.ports(tmp_path, author)
    study = write_sections(rig.study(here.blobs), here.within("writeup"))
    tex = papers.paper_source(study, here).replace(
        r"\end{abstract}", "It falls to 0.4321.\nIt rises to 0.8765.\n\\end{abstract}"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "compile_paper", lambda study, _ports: study)
        study = verify.verify_numbers(rig.with_source(study, here, tex), here.within("verify"))
    assert "It falls.\nIt rises to 0.8765." in papers.paper_source(study, here)
    (left,) = study.unresolved
    assert "0.8765" in left


def test_a_corrected_number_is_taken_and_recorded(tmp_path: Path) -> None:
    def author(request: EditRequest, files: dict[str, str]) -> str:
        if request.purpose != "verify.fix":
            return rig.sweep(request, files)
        assert "It falls to 0.4321." in data_blocks(request.instruction)["problems"][0]
        return "<<<<<<< SEARCH\nIt falls to 0.4321.\n=======\nIt falls.\n>>>>>>> REPLACE"

    here = rig.ports(tmp_path, author)
    study = write_sections(rig.study(here.blobs), here.within("writeup"))
    tex = papers.paper_source(study, here).replace(
        r"\end{abstract}", "It falls to 0.4321.\n\\end{abstract}"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "compile_paper", lambda study, _ports: study)
        study = verify.verify_numbers(rig.with_source(study, here, tex), here.within("verify"))
    assert study.claims
    assert "0.4321" not in papers.paper_source(study, here)


def test_a_setting_may_stand_beside_results_under_its_name(paper: tuple[Study, Ports]) -> None:
    said = "With a weight decay of 0.1, run 2 has another final validation loss."
    tex = papers.paper_source(*paper).replace(r"\end{abstract}", said + "\n\\end{abstract}")
    assert unread(*paper, tex)[0] == []


def _between(tex: str, first: str, then: str) -> str:
    return tex.partition(first)[2].partition(then)[0]


def test_a_correction_may_not_touch_frame_tables_or_figures(
    paper: tuple[Study, Ports],
) -> None:
    study, here = paper
    tex = papers.paper_source(study, here)
    assert (
        papers.correction_problems(study, tex, tex.replace("a coarse rule", "a rough rule")) == []
    )
    for old, new, why in (
        (r"\documentclass[10pt", r"\documentclass[12pt", "outside"),
        ("WEIGHT\\_DECAY = 0.0 instead", "WEIGHT\\_DECAY = 9.0 instead", "table"),
        ("{val_curves.png}", "{final_comparison.png}", "twice"),
        ("a coarse rule", r"\def\a{1}", r"\def"),
        ("a coarse rule", r"\citep{ghost}", "ghost"),
        (r"\maketitle", "", "the title"),
        (r"\section{Conclusion}", "", "heading"),
        (_between(tex, r"\begin{abstract}", r"\end{abstract}"), "\nShort.\n", "more than half"),
        (_between(tex, r"\section{Introduction}", r"\section"), "\nShort.\n", "more than half"),
    ):
        found = papers.correction_problems(study, tex, tex.replace(old, new))
        assert any(why in problem for problem in found), (old, found)


def test_the_sweep_sets_a_figure_that_is_wider_than_a_column_over_both(tmp_path: Path) -> None:
    ports = rig.ports(tmp_path)
    given = rig.study(ports.blobs)
    wide, narrow = given.pictures
    pictures = (
        replace(wide, description="7.2 × 2.9 inches; panel 1: x"),
        replace(narrow, description="3.3 × 2.4 inches"),
    )
    study = write_sections(replace(given, pictures=pictures), ports)
    tex = papers.paper_source(study, ports)
    assert tex.count(r"\begin{figure*}") == tex.count(r"\end{figure*}") == 1
    assert wide.name in _between(tex, r"\begin{figure*}", r"\end{figure*}")
    assert tex.count(r"\begin{figure}") == 1


# --- Markdown -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "tex"),
    [
        ("We see **a clear *gain***.", r"We see **a clear *gain***."),
        ("We see **a gain** at **0.1**.", r"We see \textbf{a gain} at \textbf{0.1}."),
        ("A power 2 ** 3 ** 4 stays.", "A power 2 ** 3 ** 4 stays."),
        ("# Set-up\nText.\n### More\n", "\\paragraph{Set-up}\nText.\n\\paragraph{More}\n"),
        ("```latex\nText.\n```\n", "Text.\n"),
        (
            "Points:\n- one\n  goes on\n\n* two\n\nAfter.",
            "Points:\n\\begin{itemize}\n\\item one\n  goes on\n\n\\item two\n\n\\end{itemize}\nAfter.",
        ),
        ("- one\n\\section", "\\begin{itemize}\n\\item one\n\\end{itemize}\n\\section"),
        ("\\begin{align}\na \\\\\n- b\n\\end{align}", "\\begin{align}\na \\\\\n- b\n\\end{align}"),
        ("\\begin{verbatim}\n**a**\n\\end{verbatim}", "\\begin{verbatim}\n**a**\n\\end{verbatim}"),
        ("The `lr_max` is ``a'' `b'.", "The \\texttt{lr\\_max} is ``a'' `b'."),
        ("See [it](https://a.example/b).", "See \\href{https://a.example/b}{it}."),
        ("Costs are 5\\# and \\textbf{bold}.\n", "Costs are 5\\# and \\textbf{bold}.\n"),
    ],
)
def test_markdown_becomes_the_latex_that_it_means(written: str, tex: str) -> None:
    assert as_latex(written) == tex


def test_a_section_and_a_title_in_markdown_are_taken_as_latex(tmp_path: Path) -> None:
    said = {
        "writeup.title": "# A title in **bold**",
        "writeup.background": f"```latex\n**Weight decay** is old.\n\n- {'x' * 99}\n```",
        "writeup.method": f"Here is the section.\n\n```latex\n{'It changes one constant. ' * 9}\n```",
    }
    model = rig.Writer(lambda ask, text: said.get(ask.purpose, text))
    tex = papers.paper_source(*written(tmp_path, model))
    assert r"\title{A title in \textbf{bold}}" in tex
    assert r"\textbf{Weight decay} is old." in tex
    assert r"\item xxx" in tex
    assert "Here is the section" not in tex
    assert "It changes one constant." in tex
    assert "```" not in tex
