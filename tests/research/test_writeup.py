"""Write-up and verification: no placeholder, no invented citation and no wrong number gets by."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from orchestrator.core.errors import WrongFormat
from orchestrator.core.model import Ask
from orchestrator.record.ports import Ports
from orchestrator.research.claims.pages import numbers_only_on_pages
from orchestrator.research.paper import latex, references, tables
from orchestrator.research.paper.markdown import as_latex
from orchestrator.research.paper.results_tables import results_tables
from orchestrator.research.prompts import data_blocks
from orchestrator.research.run_spec import Study
from orchestrator.research.stages import verify
from orchestrator.research.stages.assembly import assembled, paper_source
from orchestrator.research.stages.drafting import DRAFTS
from orchestrator.research.stages.sections import SECTIONS
from orchestrator.research.stages.study_ledger import study_ledger
from orchestrator.research.stages.writeup import AUTHOR_NOTE, write_sections
from tests.support import paper_rig as rig
from tests.support.places import ROOT


def written(folder: Path, model: rig.Writer | None = None) -> tuple[Study, Ports]:
    here = rig.ports(folder, model=model)
    return write_sections(rig.study(here.blobs), here.within("writeup")), here


@pytest.fixture(scope="module")
def paper(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Ports]:
    """The sweep's paper, as source."""
    return written(tmp_path_factory.mktemp("paper"))


def with_text(study: Study, section: str, added: str) -> Study:
    """The study with a sentence more at the end of a section."""
    rows = (
        (name, f"{text}\n\n{added}" if name == section else text) for name, text in study.sections
    )
    return replace(study, sections=tuple(rows))


def problems_of(study: Study, here: Ports) -> list[str]:
    """What the record does not carry in the study's paper."""
    ledger = study_ledger(study, here, study.skeleton)
    return [said for _, _, one in verify.wrong_in(study, ledger) for said in one.problems]


def verified(study: Study, here: Ports) -> Study:
    """The study after verification, with LaTeX that always goes well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "compile_paper", lambda study, _ports: study)
        return verify.verify_numbers(study, here.within("verify"))


def test_the_sweeps_paper_has_every_section_and_no_placeholder(
    paper: tuple[Study, Ports],
) -> None:
    tex = paper_source(*paper)
    assert not re.search(r"\b[A-Z]{4,} HERE\b", latex.uncommented(tex))
    assert r"\author{builtin/sweep\\" in tex
    assert latex.graphics(tex) == paper[0].figures
    for table in (*results_tables(study_ledger(*paper)), tables.runs_table(paper[0].runs)):
        assert tex.count(table) == 1
    assert tex.index(r"\bibliography{") < tex.index(r"\section{All Results}")


def test_a_skeleton_saved_on_windows_gets_the_same_paper(
    paper: tuple[Study, Ports], tmp_path: Path
) -> None:
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    skeleton = here.blobs.get(study.tree.as_dict()[latex.TEX])
    saved = here.blobs.put(b"\xef\xbb\xbf" + skeleton.replace(b"\n", b"\r\n"))
    study = replace(study, tree=study.tree.updated({latex.TEX: saved}))
    written = write_sections(study, here.within("writeup"))
    assert paper_source(written, here) == paper_source(*paper)
    assert references.references(paper_source(written, here))


def test_a_template_with_no_manifest_gets_a_paper_too(tmp_path: Path) -> None:
    here = rig.ports(tmp_path)
    study = write_sections(rig.plain_study(here.blobs), here.within("writeup"))
    tex = paper_source(study, here)
    assert "HERE" not in tex
    assert "Department of Averages" not in tex
    assert problems_of(study, here) == []
    assert tex.count(r"\measured{") > 4


@pytest.mark.parametrize("knob", ["weight_decay", "learning_rate", "warmup_updates", "init_scale"])
def test_a_sweep_of_any_declared_knob_verifies(tmp_path: Path, knob: str) -> None:
    here, sample = rig.ports(tmp_path), random.Random(knob)
    study = rig.study(here.blobs)
    declared = study.template.manifest.knobs[knob]
    source = study.template.files[declared.file]
    values = (declared.default, *(v for v in declared.values if v != declared.default))
    runs = tuple(
        replace(
            study.runs[min(n, 1)],
            number=n,
            name=f"r{n}" if n else "baseline",
            code=rig.with_constant(here.blobs, source, declared.constant, value),
            description=f"{declared.constant} = {value!r} instead of {declared.default!r}",
        )
        for n, value in enumerate(values)
    )
    idea = replace(study.idea, name=f"sweep_{knob}", title=f"A sweep of {knob}")
    rows = tuple((n, rig.results(0.1 * n, sample)) for n in range(len(values)))
    study = replace(study, idea=idea, runs=runs, results=rows)
    study = write_sections(study, here.within("writeup"))
    assert problems_of(study, here) == []


def test_the_reference_list_has_what_is_cited_and_nothing_else(
    paper: tuple[Study, Ports],
) -> None:
    tex = paper_source(*paper)
    keys = {reference.key for reference in references.references(tex)}
    assert keys == set(references.cited(tex))
    assert "krogh1992simple" in keys


def test_every_number_of_the_sweeps_paper_has_a_source(paper: tuple[Study, Ports]) -> None:
    study, here = paper
    assert problems_of(study, here) == []
    claims = verify.claims_of(study, study_ledger(study, here, study.skeleton))
    assert len(claims) > 40
    assert all(claim.source for claim in claims)


@pytest.mark.parametrize(
    ("section", "planted"),
    [
        ("abstract", "The final validation loss of r2 on x\\_plus\\_y is 0.4321."),
        ("abstract", "An improvement of 37.5\\% was seen."),
        ("conclusion", "In r1 the accuracy on x\\_plus\\_y reaches $0.99{}7$."),
        ("results", r"\begin{tabular}{lr} x\_plus\_y, run 1 & 9.876 \\ \end{tabular}"),
        ("conclusion", "Run 2 has a final validation loss of 0.5 nats."),
        ("conclusion", "On x\\_plus\\_y, run 1 reaches 0.1."),
        ("conclusion", "As run 7 shows, it holds."),
        ("setup", r"We trained for $1.5\times 10^{4}$ updates."),
        ("related", "Our run 1 reaches a final validation accuracy of 0.123 on x\\_plus\\_y."),
        ("results", r"In \emph{r2}, the loss on x\_plus\_y is \val{r1}{x_plus_y}{final_val_loss}."),
        (
            "results",
            r"In \emph{r2}, the loss on x\_plus\_y is better by \by{r2}{baseline}{x_plus_y}{final_val_loss}.",
        ),
        ("results", r"The loss of \emph{r9} is \val{r9}{x_plus_y}{final_val_loss}."),
        ("results", "The difference is significant ($p < 0.01$)."),
        ("setup", "All runs used an A100 GPU."),
    ],
)
def test_a_planted_falsehood_is_found_with_its_sentence(
    paper: tuple[Study, Ports], section: str, planted: str
) -> None:
    study, here = paper
    assert problems_of(with_text(study, section, planted), here)


def test_a_number_that_only_the_page_shows_is_found() -> None:
    pages = ("Loss is 0.1234 here, 10^4 is 104.\nReferences\n[1] 5.5555",)
    assert numbers_only_on_pages(pages, "The text has $10^4$ alone.") == [
        "a page prints '0.1234', which its source does not show as a number"
    ]
    assert numbers_only_on_pages(("All 7,500 updates.",), "All 7,500 updates.") == []


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
    assert why == "RESULTS TABLE HERE" or why not in latex.body(paper_source(study, here)).replace(
        r"\end{document}", ""
    )


def test_a_paper_is_one_conversation_whose_facts_are_told_once(tmp_path: Path) -> None:
    model = rig.Writer(lambda _ask, text: text)
    written(tmp_path, model)
    queries, *asked = model.asked
    assert queries.purpose == "writeup.queries"
    drafts = [f"writeup.{part[0]}" for part in DRAFTS]
    assert [name for part in DRAFTS for name in part] == [section.name for section in SECTIONS]
    picked, *asked = asked
    assert picked.purpose == "cite.pick"
    *asked, reader = asked
    assert reader.purpose == "doubt.read"
    assert [ask.purpose for ask in asked] == [*drafts, "cite.draft", "writeup.read"]
    (cited,) = (ask for ask in asked if ask.purpose == "cite.draft")
    asked.remove(cited)
    (told,) = cited.messages
    assert {*data_blocks(told.content)} == {"citations", "sections"}, "the facts stay at home"
    first = data_blocks("\n".join(one.content for one in asked[0].messages))
    assert {"idea", "template", "metrics", "results", "figures", "citations", "task"} <= set(first)
    for before, after in pairwise(asked):
        told_before = after.messages[: len(before.messages)]
        assert told_before == before.messages, "each request begins with the whole one before it"
        assert [one.role for one in after.messages[len(told_before) :]] == ["assistant", "user"]
    sent = sum(len(one.content) for ask in asked for one in ask.messages)
    new = sum(len(one.content) for one in asked[-1].messages)
    assert (sent - new) / sent > 0.8, "most of what is sent repeats a prefix"


def test_a_number_that_nobody_mends_leaves_the_paper_unverified_and_is_named(
    tmp_path: Path,
) -> None:
    study, here = written(tmp_path)
    study = verified(with_text(study, "abstract", "It falls to 0.4321."), here)
    assert "It falls to 0.4321." in verify.unresolved_failure(study).why
    assert study.claims, "what has a source is kept"
    first_page = paper_source(study, here).partition(r"\maketitle")[2][:600]
    assert r"\textbf{Not verified.}" in first_page
    assert "It falls to 0.4321." in first_page


def mending(*texts: str) -> rig.Writer:
    """An author that answers each request for corrections with the next texts, for S1, S2 and so on."""
    left = list(texts)

    def change(ask: Ask, text: str) -> str:
        if ask.purpose != "verify.fix" or not left:
            return text
        rows = [{"sentence": "S1", "text": left.pop(0)}]
        return f"```json\n{json.dumps({'corrections': rows})}\n```"

    return rig.Writer(change)


def test_a_correction_that_leaves_some_numbers_is_kept_and_the_rest_named(tmp_path: Path) -> None:
    study, here = written(tmp_path, mending("It falls."))
    wrong = with_text(study, "abstract", "It falls to 0.4321.\nIt rises to 0.8765.")
    study = verified(wrong, here)
    assert "It falls.\nIt rises to 0.8765." in dict(study.sections)["abstract"]
    (left,) = study.unresolved
    assert "0.8765" in left


def test_a_corrected_sentence_is_taken_and_nothing_else_changes(tmp_path: Path) -> None:
    study, here = written(tmp_path, mending("It falls."))
    before = dict(study.sections)
    study = verified(with_text(study, "abstract", "It falls to 0.4321."), here)
    assert study.unresolved == ()
    assert dict(study.sections) == before | {"abstract": f"{before['abstract']}\n\nIt falls."}
    assert "0.4321" not in paper_source(study, here)


@pytest.mark.parametrize("text", [r"\def\a{1}", r"\citep{ghost}", r"\section{More}"])
def test_a_correction_that_breaks_a_rule_is_not_used(tmp_path: Path, text: str) -> None:
    study, here = written(tmp_path, mending(text, text, text))
    study = verified(with_text(study, "abstract", "It falls to 0.4321."), here)
    assert "It falls to 0.4321." in dict(study.sections)["abstract"]
    assert study.unresolved


def test_nothing_that_an_author_writes_removes_a_title_a_table_or_the_mark(
    paper: tuple[Study, Ports],
) -> None:
    """These are the program's: a paper is put together anew after each correction."""
    study, here = paper
    bare = replace(study, sections=tuple((name, "x" * 99) for name, _ in study.sections))
    tex = paper_source(assembled(bare, here, study_ledger(study, here)), here)
    assert r"\maketitle" in tex
    assert "no person wrote or checked this text" in tex
    assert tex.count(r"\section{") == paper_source(study, here).count(r"\section{")
    assert r"\label{tab:settings}" in tex


def test_the_programs_own_tables_need_no_author_for_their_numbers(tmp_path: Path) -> None:
    here = rig.ports(tmp_path)
    study = rig.study(here.blobs)
    runs = tuple(
        replace(run, name=f"after {540 + run.number} updates") if run.number else run
        for run in study.runs
    )
    study = write_sections(replace(study, runs=runs), here.within("writeup"))
    assert "after 541 updates" in paper_source(study, here)
    assert problems_of(study, here) == []


def test_a_setting_may_stand_beside_results_under_its_name(paper: tuple[Study, Ports]) -> None:
    said = "With a weight decay of 0.1, r2 has another final validation loss."
    assert problems_of(with_text(paper[0], "abstract", said), paper[1]) == []


def _between(tex: str, first: str, then: str) -> str:
    return tex.partition(first)[2].partition(then)[0]


def test_the_sweep_sets_a_figure_that_is_wider_than_a_column_over_both(tmp_path: Path) -> None:
    ports = rig.ports(tmp_path)
    given = rig.study(ports.blobs)
    wide, narrow = given.pictures
    pictures = (
        replace(wide, description="7.2 × 2.9 inches; panel 1: x"),
        replace(narrow, description="3.3 × 2.4 inches"),
    )
    study = write_sections(replace(given, pictures=pictures), ports)
    tex = paper_source(study, ports)
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
        "writeup.conclusion": "```latex\n%% SECTION conclusion\n\n"
        + "It is so. " * 9
        + "\n\n%% SECTION abstract\n\n"
        + "It was asked. " * 9
        + "\n\n%% SECTION title\n\n# A title in **bold**\n```",
        "writeup.background": f"%% SECTION background\n```latex\n**Weight decay** is old.\n\n- {'x' * 99}\n```\n"
        f"% Section: Related Work\n```latex\n{'Others did so. ' * 9}\n```",
        "writeup.setup": f"%% SECTION setup\n\n{'It was set up. ' * 9} Table~\\ref{{tab:runs}} lists it.\n\nRUNS TABLE HERE",
        "writeup.method": f"Here is the section.\n\n```latex\n{'It changes one constant. ' * 9}\n```",
    }
    model = rig.Writer(lambda ask, text: said.get(ask.purpose, text))
    tex = paper_source(*written(tmp_path, model))
    assert r"\title{A title in \textbf{bold}}" in tex
    assert r"\textbf{Weight decay} is old." in tex
    assert r"\item xxx" in tex
    assert "Here is the section" not in tex
    assert "It changes one constant." in tex
    assert "Others did so." in tex
    assert "```" not in tex
    assert "%% SECTION" not in tex


def test_an_answer_without_one_of_the_sections_asked_for_is_sent_back(tmp_path: Path) -> None:
    seen: list[str] = []

    def change(ask: Ask, text: str) -> str:
        if ask.purpose != "writeup.conclusion":
            return text
        seen.append(ask.messages[-1].content)
        return text if len(seen) > 1 else text.partition("%% SECTION title")[0]

    study, _ = written(tmp_path, rig.Writer(change))
    assert len(seen) == 2
    assert "no line '%% SECTION title' begins that section" in seen[1]
    assert dict(study.sections)["title"]


def test_the_note_on_the_page_and_the_mark_in_the_metadata_say_the_same() -> None:
    assert f'NOTE = "{AUTHOR_NOTE}"' in (ROOT / "sandbox/latex/mark.py").read_text()
