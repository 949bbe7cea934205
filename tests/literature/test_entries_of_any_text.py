"""Whatever text a record holds, its entry is sound or there is none."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.literature.bibtex.ascii_tex import ascii_tex, tex_of
from orchestrator.literature.bibtex.entries import entry, not_citable
from orchestrator.literature.citation_keys import citation_key
from orchestrator.literature.paper_door import received
from tests.support.entry_rig import harmless, read
from tests.support.search_rig import record

LETTERS = st.text(st.sampled_from("aé{}\\$^~#%&_<>|\"'`@,= \n→αЖ－｛％and"), max_size=40)
ANY = st.one_of(st.text(max_size=60), LETTERS)


@given(ANY, st.lists(ANY, max_size=18), ANY, ANY)
def test_any_text_makes_a_sound_entry_or_none(
    title: str, authors: list[str], venue: str, where: str
) -> None:
    found = received(
        source="openalex", title=title, authors=authors, year=2020, venue=venue,
        doi=f"10.1000/{where}", url=f"https://example.org/{where}", arxiv="2201.02177",
    )  # fmt: skip
    plain = record(title, authors=tuple(authors), venue=venue)
    for one in filter(None, (found, plain)):  # the door takes no paper without a title
        text = entry(one)
        assert bool(text) != bool(not_citable(one))
        if text:
            assert harmless(re.sub(r"(?m)^  (doi|url) = .*", "", text)), text
            assert text.isascii()
            written = read(one)
            assert written.kind in {"article", "inproceedings", "misc"}
            assert "@" not in written.key


@given(ANY)
def test_ascii_tex_of_what_is_ascii_tex_is_the_same(text: str) -> None:
    made = tex_of(text)
    assert made is None or ascii_tex(made) == made


@given(st.lists(ANY, max_size=2), st.one_of(st.none(), st.integers(1600, 2200)), ANY)
def test_a_key_is_plain_and_always_the_same(
    authors: list[str], year: int | None, title: str
) -> None:
    key = citation_key(tuple(authors), year, title)
    assert re.fullmatch(r"[a-z0-9]{3,60}", key)
    assert key == citation_key(tuple(authors), year, title)
