"""A PDF becomes a record of one's own library: its text is read in a container, and is data."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.api.literature import add_files
from orchestrator.core.errors import BadFile
from orchestrator.core.literature import Query
from orchestrator.literature.library.own_library import OwnLibrary
from tests.support.made_pdf import made_pdf
from tests.support.run_rig import POLICY

STAMP = "arXiv:2201.02177v1 [cs.LG] 6 Jan 2022"
TITLE = "Grokking: Generalization Beyond Overfitting"


def pdf(*lines: str, title: str = "") -> bytes:
    """A PDF of one page with these lines."""
    shown = "".join(
        f"BT /F1 12 Tf 50 {750 - 20 * n} Td ({line}) Tj ET\n" for n, line in enumerate(lines)
    )
    return made_pdf(shown, title=title)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.mark.engine
def test_a_pdf_is_found_by_the_words_in_it_and_has_the_id_on_its_first_page(
    tmp_path: Path,
) -> None:
    one, other = tmp_path / "one.pdf", tmp_path / "my notes.pdf"
    one.write_bytes(pdf(TITLE, "Nobody since 1999", STAMP, "periodicity of embeddings"))
    other.write_bytes(pdf("Notes on what we tried", "slingshots", title="untitled"))
    done = add_files([one, other], policy=POLICY)
    assert (done.added.new, done.papers) == (2, 2)
    (found,) = OwnLibrary().search(Query("periodicity embedding"))
    assert (found.title, found.arxiv, found.year) == (TITLE, "2201.02177", 2022)
    assert found.authors == (), "who wrote it is not guessed"
    (found,) = OwnLibrary().search(Query("slingshot"))
    assert (found.key, found.title) == ("pdf_my_notes", "Notes on what we tried")
    assert found.year is None


@pytest.mark.engine
def test_a_pdf_that_cannot_be_read_leaves_the_library_as_it_was(tmp_path: Path) -> None:
    good, bad = tmp_path / "good.pdf", tmp_path / "bad.pdf"
    good.write_bytes(pdf(TITLE))
    bad.write_bytes(b"%PDF-1.4 and nothing more")
    with pytest.raises(BadFile, match="this PDF cannot be read") as caught:
        add_files([good, bad], policy=POLICY)
    assert "bad.pdf" in caught.value.where
    bad.write_bytes(pdf())
    with pytest.raises(BadFile) as caught:
        add_files([bad], policy=POLICY)
    assert "scan" in caught.value.why
    assert len(OwnLibrary()) == 0
