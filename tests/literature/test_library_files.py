"""Files of papers as people have them: much is read, what is wrong is said with its place, nothing acts."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import BadFile
from orchestrator.core.files import shipped_root
from orchestrator.core.literature import LONGEST_ABSTRACT, LONGEST_TITLE, PaperRef, Query
from orchestrator.literature.bibtex import loose
from orchestrator.literature.bibtex.bib_scan import scan
from orchestrator.literature.bibtex.strict import KEY, entries
from orchestrator.literature.library import files as library_files
from orchestrator.literature.library.files import identify, read_papers
from orchestrator.literature.library.local import LocalLibrary
from orchestrator.literature.library.own_library import Added, OwnLibrary

TEMPLATES = sorted(shipped_root().glob("templates/*/library.json"))


def read(folder: Path, text: str, name: str = "mine.bib") -> tuple[PaperRef, ...]:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_papers(path)


def read_or_refused(path: Path) -> tuple[PaperRef, ...]:
    """The papers of a file; none if it is refused with what to do."""
    error = None
    try:
        return read_papers(path)
    except BadFile as refusal:
        error = refusal
    assert str(error)
    assert error.todo
    return ()


def one(folder: Path, fields: str, kind: str = "article", key: str = "a") -> PaperRef:
    (paper,) = read(folder, f"@{kind}{{{key}, title={{T}}, author={{A. B.}}, year=2020, {fields}}}")
    return paper


def refused(folder: Path, text: str, name: str = "mine.bib") -> list[tuple[str, str]]:
    with pytest.raises(BadFile) as caught:
        read(folder, text, name)
    assert all(problem.todo for problem in caught.value.problems)
    cut = len(str(folder)) + 1
    return [(problem.where[cut:], problem.what) for problem in caught.value.problems]


# --- BibTeX as people have it -------------------------------------------------------------


def test_macros_are_expanded_and_joined_and_months_are_known(tmp_path: Path) -> None:
    (paper,) = read(
        tmp_path,
        """
        @preamble{ "\\input{/etc/passwd}" }
        @String(ml = "Machine ")
        @string{jml = {J. of } # ML # {Learning}}
        @comment{jabref-meta: databaseType:bibtex;}
        @article{a, title = {T}, author = {A. B.}, year = 2020, month = 12 # "~" # dec,
          journal = jml # { (Online)} }
        """,
    )
    assert paper.venue == "J. of Machine Learning (Online)"
    assert "journal = {J. of Machine Learning (Online)}" in paper.bibtex
    assert "input" not in paper.bibtex


def test_the_name_of_a_macro_of_another_file_stands_for_it_where_that_says_enough(
    tmp_path: Path,
) -> None:
    assert one(tmp_path, "journal = JMLR").venue == "JMLR"
    assert refused(tmp_path, "@misc{a,\n title=jmlr}") == [
        ("mine.bib:2:8: a.title", "'jmlr' is neither in braces or quotes nor a macro of this file")
    ]


@pytest.mark.parametrize(
    ("kind", "fields", "written"),
    [
        ("online", "", "misc"),
        ("electronic", "", "misc"),
        ("dataset", "", "misc"),
        ("my-own"[:2], "", "misc"),
        ("conference", "", "inproceedings"),
        ("inbook", "booktitle={B}", "incollection"),
        ("inbook", "", "book"),
        ("MastersThesis", "", "mastersthesis"),
        ("thesis", "type={mathesis}", "mastersthesis"),
        ("thesis", "type={phdthesis}", "phdthesis"),
        ("report", "", "techreport"),
        ("manual", "", "manual"),
        ("unpublished", "", "unpublished"),
        ("proceedings", "", "proceedings"),
    ],
)
def test_kinds_of_every_dialect_become_kinds_that_every_style_has(
    tmp_path: Path, kind: str, fields: str, written: str
) -> None:
    assert one(tmp_path, fields, kind).bibtex.startswith(f"@{written}{{a,")


def test_fields_of_biblatex_are_known(tmp_path: Path) -> None:
    (paper,) = read(
        tmp_path,
        "@article{a, title={T}, author={B, A. and others}, date={2020-05-01}, journaltitle={J},"
        " eprint={2201.02177v3}, eprinttype={arXiv}, eprintclass={cs.LG}}",
    )
    assert (paper.year, paper.venue, paper.arxiv, paper.authors) == (
        2020,
        "J",
        "2201.02177",
        ("B, A.",),
    )
    assert "primaryclass = {cs.LG}" in paper.bibtex
    assert "author = {B, A. and others}" in paper.bibtex


@pytest.mark.parametrize(
    ("key", "legal"),
    [
        ("DBLP:conf/nips/VaswaniSPUJGKP17", "DBLP:conf_nips_VaswaniSPUJGKP17"),
        ("smith.2020+a", "smith_2020_a"),
        ("Gödel1931", "Godel1931"),
        ("10.1145/3292500.3330701", "10_1145_3292500_3330701"),
        ("a b", "a_b"),
        ("王", "key-"),
        ("", "b2020untitled"),
        ("x" * 65, "x" * 55 + "-"),
    ],
)
def test_keys_are_rewritten_in_legal_letters_the_same_each_time(
    tmp_path: Path, key: str, legal: str
) -> None:
    paper = one(tmp_path, "", key=key)
    assert paper == one(tmp_path, "", key=key)
    assert KEY.fullmatch(paper.key)
    assert paper.key.startswith(legal)
    assert next(entries(paper.bibtex, "")).key == paper.key


def test_an_entry_without_a_key_gets_one(tmp_path: Path) -> None:
    (paper,) = read(tmp_path, "@article{title={On Fish}, author={A. Bear}, year=2020}")
    assert paper.key == "bear2020fish"


def test_one_key_for_two_papers_keeps_both_and_the_same_paper_twice_is_one(tmp_path: Path) -> None:
    entry = "@misc{{{}, title={{{}}}, author={{A}}, year=2020}}\n"
    papers = read(
        tmp_path,
        "".join(
            entry.format(*pair)
            for pair in [("a", "X"), ("A", "Y"), ("a", "x!"), ("a/", "Z"), ("a", "Y")]
        ),
    )
    assert [(paper.key, paper.title) for paper in papers] == [
        ("a", "X"), ("Aa", "Y"), ("ab", "Z"),
    ]  # fmt: skip
    assert [next(entries(paper.bibtex, "")).key for paper in papers] == ["a", "Aa", "ab"]


@pytest.mark.parametrize(
    ("fields", "ids"),
    [
        ("doi={https://doi.org/10.1145/ABC_1.2}", ("10.1145/abc_1.2", "")),
        ("doi={doi:10.1007/978-3\\_8}", ("10.1007/978-3_8", "")),
        ("doi={none}", ("", "")),
        ("doi={10.48550/arXiv.2201.02177}", ("", "2201.02177")),
        ("eprint={2201.02177v2}, archivePrefix={arXiv}", ("", "2201.02177")),
        ("eprint={hep-th/9901001}, eprinttype={arxiv}", ("", "hep-th/9901001")),
        ("eprint={12345}, eprinttype={hal}", ("", "")),
        ("note={arXiv:2201.02177}", ("", "2201.02177")),
        ("journal={arXiv preprint arXiv:2201.02177}", ("", "2201.02177")),
        ("journal={CoRR}, volume={abs/1706.03762}", ("", "1706.03762")),
        ("url={https://arxiv.org/abs/1706.03762v5}, doi={10.1/x}", ("", "1706.03762")),
        (
            "url={http://arxiv.org/pdf/math.AG/0309136}, doi={10.1234/x}",
            ("10.1234/x", "math.AG/0309136"),
        ),
        ("note={arXiv}", ("", "")),
    ],
)
def test_doi_and_arxiv_id_are_found_wherever_people_write_them(
    tmp_path: Path, fields: str, ids: tuple[str, str]
) -> None:
    paper = one(tmp_path, fields)
    assert (paper.doi, paper.arxiv) == ids


def test_a_papers_doi_is_written_bare_and_its_address_without_what_acts(tmp_path: Path) -> None:
    paper = one(
        tmp_path, r"doi={https://doi.org/10.1145/ABC}, url={\url{https://x.org/a_b%20{c}$^^4}}"
    )
    assert "doi = {10.1145/abc}" in paper.bibtex
    assert "url = {https://x.org/" in paper.bibtex
    assert not set(r"\$^") & set(paper.url)


@pytest.mark.parametrize("lacks", ["author={A}", "year=2020", "year={soon}, author={A}", ""])
def test_a_paper_without_authors_or_year_is_searchable_and_not_citable(
    tmp_path: Path, lacks: str
) -> None:
    (paper,) = read(tmp_path, f"@misc{{a, title={{T}}, {lacks}}}")
    assert (paper.title, paper.bibtex) == ("T", "")
    assert not paper.authors or paper.year is None


def test_abstract_and_note_become_plain_text_whatever_they_hold(tmp_path: Path) -> None:
    wild = r"\footnote{x} G{\"o}del \unknown^^M \input{/etc/passwd} 5\% of $\alpha$ \\ \url{https://x.org/a_b} \x07"
    paper = one(tmp_path, f"abstract={{{wild}\x1b[31m}}, note={{{wild}\x07 & #}}")
    assert paper.abstract == "x Gödel ^^M /etc/passwd 5% of $α$ https://x.org/a_b 07 [31m"
    (entry,) = entries(paper.bibtex, "")
    assert entry.get("note").startswith(
        r"x Gödel \^{}\^{}M /etc/passwd 5\% of \$α\$ https://x.org/a\_b"
    )


def test_addresses_in_howpublished_are_plain_text(tmp_path: Path) -> None:
    paper = one(tmp_path, r"howpublished={\url{https://x.org/a_b} and \href{https://y.org}{here}}")
    assert r"howpublished = {https://x.org/a\_b and here}" in paper.bibtex


@pytest.mark.parametrize(
    ("tex", "plain"),
    [
        (r"{\v{S}}\'{\i} \'\i \c{c} \o{} {\"o} \aa{} b\o b", "Ší í ç ø ö å bøb"),
        (r"$\beta$-{VAE} {\textless}x{\textgreater} \emph{y} {\em z}", "$β$-VAE <x> y z"),
        (r"H$_2$O 10\textsuperscript{th} a\-b A\,B {\texttt{c}}", "H$_2$O 10th ab A B c"),
    ],
)
def test_usual_commands_in_titles_are_read_as_people_read_them(
    tmp_path: Path, tex: str, plain: str
) -> None:
    (paper,) = read(tmp_path, f"@misc{{a, title={{{tex}}}, author={{A}}, year=2020}}")
    assert paper.title == plain
    (entry,) = entries(paper.bibtex, "")
    assert entry.get("title") == tex


# --- errors -------------------------------------------------------------------------------


def test_every_error_of_a_file_is_told_with_line_and_column(tmp_path: Path) -> None:
    text = (
        "@article{good, title={T}, author={A}, year=2020}\n"
        "@misc{one,\n  title = {x \\input{y}},\n  author = {a \\write18{ls}}}\n"
        "@misc{two, author={A}, year=2020}\n"
        "@misc{three, title={not closed}\n"
        "@misc{four, title {x}}\n"
        "@misc{five, title={T}, journal=}\n"
        "@misc{six, title=\"a} b{\"}\n"
        "@misc{seven, title={cost $5}}\n"
    )  # fmt: skip
    assert refused(tmp_path, text) == [
        ("mine.bib:3:11: one.title", "the field 'title' contains an unknown command: '\\\\input{y}'"),
        ("mine.bib:4:12: one.author", "the field 'author' contains an unknown command: '\\\\write18{ls}'"),
        ("mine.bib:5:1: two", "the entry has no title"),
        ("mine.bib:6:1: three", "an entry is not closed"),
        ("mine.bib:7:13: four", "not a field: 'title {x}'"),
        ("mine.bib:8:32: five.journal", "a value is neither in braces, in quotes, nor a number"),
        ("mine.bib:9:18: six.title", "a value is neither in braces, in quotes, nor a number"),
        ("mine.bib:10:20: seven.title", "the field 'title' has an odd number of `$`"),
    ]  # fmt: skip


@pytest.mark.parametrize("title", ["", "{}", " ", "{{ }}", "\\emph{}", "\u200b"])
def test_an_empty_title_is_no_title(tmp_path: Path, title: str) -> None:
    assert refused(tmp_path, f"@misc{{a, title={{{title}}}}}") == [
        ("mine.bib:1:1: a", "the entry has no title")
    ]


def test_what_no_entry_needs_is_refused(tmp_path: Path) -> None:
    assert "more than 1000 fields" in refused(tmp_path, "@misc{a, " + "b=1, " * 2000 + "}")[0][1]
    assert (
        refused(tmp_path, "@misc{a, title=" + "1#" * 2000 + "1}")[0][0] == "mine.bib:1:16: a.title"
    )


def test_very_many_errors_end_the_reading(tmp_path: Path) -> None:
    assert len(refused(tmp_path, "@misc{a, x}\n" * 5000)) == loose.MOST_PROBLEMS


@pytest.mark.parametrize(
    ("name", "data", "what"),
    [
        ("a.txt", b"@misc{a}", "papers are read from files that end in"),
        ("a.pdf", b"%PDF", "papers are read from files that end in"),
        ("a.bib", b"", "the file is empty"),
        ("a.jsonl", b" \n\n", "the file is empty"),
        ("a.bib", b"\xff\xfe@", "is not UTF-8"),
        ("a.bib", b"only words", "the file holds no paper"),
        ("a.json", b"[]", "the file holds no paper"),
        ("a.BIB", b"@comment{x}", "the file holds no paper"),
    ],
)
def test_a_file_that_holds_no_papers_is_one_clear_error(
    tmp_path: Path, name: str, data: bytes, what: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(BadFile, match=what) as caught:
        read_papers(tmp_path / name)
    assert caught.value.todo
    assert name in caught.value.where


def test_what_is_no_file_is_one_clear_error_and_never_waits(tmp_path: Path) -> None:
    (tmp_path / "folder.bib").mkdir()
    os.mkfifo(tmp_path / "pipe.bib")
    (tmp_path / "loop.bib").symlink_to("loop.bib")
    for name, what in [
        ("folder.bib", "not a file"), ("pipe.bib", "not a file"), ("none.bib", "no such file"),
        ("loop.bib", "file"), ("x" * 300 + ".bib", "cannot be read"), ("nul\0.bib", "file"),
    ]:  # fmt: skip
        with pytest.raises(BadFile, match=what):
            read_papers(tmp_path / name)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.bib").open("wb") as file:
        file.truncate(library_files.LARGEST_FILE + 1)
    with pytest.raises(BadFile, match="larger than 64 MiB"):
        read_papers(tmp_path / "a.bib")


# --- hostile ------------------------------------------------------------------------------


def test_a_title_cannot_act_on_a_terminal(tmp_path: Path) -> None:
    assert "control character" in refused(tmp_path, "@misc{a, title={x\x1b[31m}}")[0][1]
    (paper,) = read(tmp_path, "@misc{a, title={x\u202e\u200by}, author={A}, year=2020}")
    assert paper.title == "x y"


def test_a_very_long_abstract_is_cut_and_a_long_title_too(tmp_path: Path) -> None:
    paper = one(tmp_path, "abstract={" + "word " * 2_000_000 + "}, keywords={" + "x" * 10**6 + "}")
    assert len(paper.abstract) <= LONGEST_ABSTRACT
    (paper,) = read(tmp_path, "@misc{a, title={" + "y" * 19_000 + "}, author={A}, year=2020}")
    assert len(paper.title) == LONGEST_TITLE


def test_macros_cannot_grow_without_bound(tmp_path: Path) -> None:
    text = '@string{m0 = "xxxxxxxxxx"}\n'
    text += "".join(f"@string{{m{n} = m{n - 1} # m{n - 1} # m{n - 1}}}\n" for n in range(1, 60))
    (paper,) = read(
        tmp_path, text + "@misc{a, title={T}, author={A}, year=1999, journal=m59 # m59}"
    )
    assert len(paper.venue) <= LONGEST_TITLE
    assert len(paper.bibtex) < 3000


DEEP = 100_000
LONG = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "@misc{a, title={" + "{" * DEEP + "x" + "}" * DEEP + "}, author={A}, year=2020}",
        "@misc{a, title={T}, abstract={" + "{" * DEEP + "x" + "}" * DEEP + "}}",
        "{" * LONG,
        "@a{" * LONG,
        "@a{\n" * LONG,
        "@comment{" * LONG,
        "@comment{\n" * LONG,
        "@a{b,c={" * LONG,
        "@a{b,\n" * LONG,
        "@" * LONG,
        "@ " * LONG,
        "@a " * LONG,
        "@" + "a" * LONG,
        "@a" + " " * LONG,
        "@a{" + " " * LONG,
        "@a{b," + "c" * LONG,
        "@a{b, c" + " " * LONG + "}",
        "@a{b, title=" + "a#" * LONG + "}",
        '@a{b, title="' + "\\" * LONG,
        '@a{b, title="' + '"' * LONG + "}",
        "@a{b, " + ", " * LONG + "}",
        "@a{b, title={T}, note={" + "\\url" * LONG + "}}",
        "@a{b, title={T}, note={" + "\\'" * 10_000 + "}}",
        "@a{b, title={T}, author={" + " and" * 5_000 + "}}",
        "@a{b, title={T}, author={" + " " * LONG + "}}",
        "@a{b, title={" + "\\" * 19_999 + "x}}",
        "@a{b, title={T}, url={" + "arxiv" * LONG + "}}",
        "@a{b, title={T}, note={" + "arxiv   " * LONG + "}}",
        "@string{a=" + "b#" * LONG + "c}",
        "@a(" * LONG,
        "@a(b, title={T}" + ")" * LONG,
        "\n@misc{a, title={T}, author={A}, year=2020}" * 20_000,
        "".join(f"\n@misc{{a, title={{T{n}}}}}" for n in range(20_000)),
        "\x00" * LONG,
    ],
)  # fmt: skip
def test_no_text_takes_long(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.bib"
    path.write_text(text, encoding="utf-8")
    began = time.process_time()
    read_or_refused(path)
    assert time.process_time() - began < 10  # what is not linear takes hours


_PIECES = st.sampled_from([
    "@article{", "@misc{a,", "@string{", "@comment{", "@preamble{", "@online(", "a", "=", "{", "}", "(", ")",
    '"', ",", "#", "\\", "\\'", "\\input", "\n", " ", "title", "title={T},", "author={A},", "year=2020,",
    "note={", "abstract=", "url=", "doi={10.1234/", "eprint=", "jan", "x", "é", "$", "^^", "%", "~", "@",
    "\x1b", "\x00", "2020", "and", "\u2028", "\r", "arXiv:2201.02177",
])  # fmt: skip
_TEXTS = st.one_of(
    st.lists(_PIECES, max_size=40).map("".join),
    st.text(max_size=100),
    st.text(max_size=60).map(lambda text: f"@misc{{a, title={{T {text}}}, author={{A}}, year=2020}}"),
    st.text(max_size=60).map(lambda text: f"@misc{{a, title={{T}}, author={{A}}, year=2020, note={{{text}}}, abstract={{{text}}}, url={{{text}}}, doi={{10.1234/{text}}}}}"),
)  # fmt: skip


@given(_TEXTS)
@settings(max_examples=400, deadline=None)
def test_any_text_gives_papers_that_can_be_printed_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "fuzz.bib"
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    papers = read_or_refused(path)
    assert len({paper.key.lower() for paper in papers}) == len(papers)
    for paper in papers:
        assert paper.title
        assert KEY.fullmatch(paper.key)
        if paper.bibtex:
            (entry,) = entries(paper.bibtex, "")  # the strict form takes all that is written
            assert entry.text() == paper.bibtex
            assert entry.key == paper.key


@given(st.text(max_size=100), st.binary(max_size=100))
def test_any_text_of_json_gives_papers_or_one_error(
    tmp_path_factory: pytest.TempPathFactory, text: str, data: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    row = json.dumps(
        {
            "title": text,
            "key": text,
            "authors": [text, "A"],
            "year": 2020,
            "venue": text,
            "doi": text,
        }
    )
    for name, content in [
        ("a.jsonl", row.encode()), ("b.json", f"[{row}]".encode()), ("c.jsonl", data), ("d.json", data),
    ]:  # fmt: skip
        (folder / name).write_bytes(content)
        papers = read_or_refused(folder / name)
        assert all(
            next(entries(paper.bibtex, "")).key == paper.key for paper in papers if paper.bibtex
        )


# --- JSON ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.parent.name)
def test_each_templates_library_goes_through_files_and_library_unchanged(
    tmp_path: Path, path: Path
) -> None:
    there = LocalLibrary.from_bytes(path.read_bytes(), str(path)).papers
    assert all(paper.doi or paper.arxiv or paper.bibtex for paper in there)
    (tmp_path / "as.bib").write_text("\n".join(paper.bibtex for paper in there))
    rows = json.loads(path.read_bytes())
    (tmp_path / "as.jsonl").write_text("\n".join(map(json.dumps, rows)))
    library = OwnLibrary(tmp_path / "library")
    for number, source in enumerate((path, tmp_path / "as.jsonl", tmp_path / "as.bib")):
        papers = read_papers(source)
        assert [
            (one.key, one.title, one.year, one.doi, one.arxiv)
            for one in sorted(papers, key=lambda p: p.key)
        ] == [(one.key, one.title, one.year, one.doi, one.arxiv) for one in there]
        added = library.add((paper, "") for paper in papers)
        assert (added.new if number == 0 else added.known + added.replaced) == len(there)
    kept = {paper.key: paper for paper in library.papers()}
    assert [(kept[one.key].bibtex, kept[one.key].abstract) for one in there] == [
        (one.bibtex, one.abstract) for one in there
    ]
    assert library.search(Query(there[0].title))[0].key == there[0].key


def test_a_line_of_json_needs_a_title_only(tmp_path: Path) -> None:
    rows = [
        {
            "title": "On $x_1$ & \\y{z} 100%",
            "authors": ["A. Bear"],
            "year": 2020,
            "doi": "https://doi.org/10.1234/X",
        },
        {"title": "Bare", "arxiv": "arXiv:2201.02177v2", "abstract": "z" * 50_000},
    ]
    first, second = read(tmp_path, "\n\n".join(map(json.dumps, rows)), "a.jsonl")
    assert (first.key, first.doi, first.source) == ("bear2020100", "10.1234/x", "library")
    assert next(entries(first.bibtex, "")).get("year") == "2020"
    assert (second.arxiv, second.bibtex, len(second.abstract)) == (
        "2201.02177",
        "",
        LONGEST_ABSTRACT,
    )


def test_every_error_of_json_is_told_with_line_and_column(tmp_path: Path) -> None:
    lines = (
        '{"title": "x"}\n{"title": 1, "tittle": 2}\n\nnonsense\n{"title": "x", "bibtex": "@misc{"}'
    )
    assert [where for where, _ in refused(tmp_path, lines, "a.jsonl")] == [
        "a.jsonl:2:1: title",
        "a.jsonl:2:1: tittle",
        "a.jsonl:4:1",
        "a.jsonl:5:1: bibtex",
    ]
    whole = '[\n  {"title": "x"},\n  {"year": "soon"},\n 7, {"title": "\\u200b"}]'
    assert [where for where, _ in refused(tmp_path, whole, "a.json")] == [
        "a.json:3:3: title",
        "a.json:3:3: year",
        "a.json:4:2",
        "a.json:4:5: title",
    ]
    assert refused(tmp_path, '{"title": "x"}', "b.json") == [
        ("b.json:1:1", "the file is not a list of papers")
    ]
    for text in ("[" * 100_000, '[{"title": NaN}]', '[{"title": "\\ud800"}]', "[1e999]"):
        assert refused(tmp_path, text, "c.json")


# --- the first page of a PDF --------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        (
            "arXiv:2201.02177v1 [cs.LG] 6 Jan 2022\nGrokking ... see arXiv:1912.02292",
            ("", "2201.02177"),
        ),
        (
            "https://doi.org/10.1145/3292500.3330701.\nalso 10.1000/other",
            ("10.1145/3292500.3330701", ""),
        ),
        ("DOI: 10.1016/0893-6080(88)90014-7", ("10.1016/0893-6080(88)90014-7", "")),
        ("Only 10.1038/nature14539, here", ("10.1038/nature14539", "")),
        ("Cites 10.1038/a and 10.1038/b and arXiv:2201.02177 and arXiv:2201.02178", ("", "")),
        ("doi:10.48550/arXiv.2201.02177", ("", "2201.02177")),
        ("Version 10.1 of 2020", ("", "")),
        ("", ("", "")),
    ],
)
def test_a_paper_is_identified_by_what_its_first_page_says_of_itself(
    text: str, ids: tuple[str, str]
) -> None:
    assert identify(text) == ids


@given(st.text())
def test_any_page_is_read(text: str) -> None:
    assert len(identify(text)) == 2
    assert identify("arXiv:" * 100 + text + "10.1234/" * 1000) is not None


def test_the_form_of_any_text_is_read_to_its_end() -> None:
    assert len(list(scan("@misc{a,\n@misc{b, x={1}}\n@misc(c, y=2)"))) == 3
    assert Added() == Added(0, 0, 0)
