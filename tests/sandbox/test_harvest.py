"""A tar from a hostile sender: what may pass does, the rest is named or stops the harvest."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import HarvestRefused
from orchestrator.core.filenames import shown, why_unsafe
from orchestrator.sandbox.harvest.harvest import Harvested, HarvestRules, harvest
from orchestrator.sandbox.scripted import WholeBlobs
from tests.support.memory_blobs import MemoryBlobs

RULES = HarvestRules(paths=("run_1/", "plot.png"), files=5, bytes=10_000, file=4_000, depth=3)


def member(path: str, data: bytes = b"", kind: bytes = b"0", link: str = "") -> bytes:
    """One member as GNU tar writes it."""
    info = tarfile.TarInfo(path)
    info.type, info.size, info.linkname = kind, len(data), link
    head = info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")
    return head + data + bytes(-len(data) % 512)


def archive(*members: bytes) -> bytes:
    return b"".join(members) + bytes(1024)


def read(
    data: bytes, rules: HarvestRules = RULES, step: int = 700
) -> tuple[Harvested, MemoryBlobs]:
    blobs = MemoryBlobs()
    chunks = (data[at : at + step] for at in range(0, len(data), step))
    return harvest(chunks, rules, WholeBlobs(blobs)), blobs


def refusal(*members: bytes, rules: HarvestRules = RULES) -> str:
    """Why the last member was refused; nothing at all was kept of it."""
    kept, _ = read(archive(*members), rules)
    return kept.refused[-1][1]


def test_declared_files_come_home_with_their_bytes_whatever_the_chunks() -> None:
    data = archive(member("run_1/a.json", b"{}"), member("plot.png", b"\x89PNG" * 300))
    for step in (1, 511, 512, 513, 10_000):
        kept, blobs = read(data, step=step)
        assert kept.files.paths() == ("plot.png", "run_1/a.json")
        assert blobs.get(dict(kept.files.files)["plot.png"]) == b"\x89PNG" * 300
        assert kept.refused == ()


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/run_1/x", "an absolute path"),
        ("run_1/../x", "empty, `.` or `..`"),
        ("run_1//x", "empty, `.` or `..`"),
        ("run_1/./x", "empty, `.` or `..`"),
        ("run_1/a\nb", "control"),
        ("run_1/\x1b[2J", "control"),
        ("run_1/\u202egnp.exe", "invisible"),
        ("run_1/\u200b", "invisible"),
        ("run_1/\udcff", "undecodable"),
        ("run_1/a\\b", "backslash"),
        ("run_1/-rf", "dash"),
        ("run_1/.git", "git"),
        ("run_1/.GIT", "git"),
        ("run_1/.git.", "git"),
        ("run_1/ ", "space"),
        ("run_1/x.json ", "space"),
        ("run_1/.git::$INDEX_ALLOCATION", "git"),
        ("run_1/GIT~1", "git"),
        ("run_1/a\u00a0b", "invisible"),
        ("run_1/a\ufe0f", "invisible"),
        ("run_1/\u3164", "invisible"),
        ("run_1/\u2800", "invisible"),
        ("run_1/" + "d/" * 2000, "over"),
        ("run_1/" + "n" * 256, "over"),
        ("run_1/a/b/c", "levels deep"),
        ("run_2/x", "not among"),
        ("run_1", "not among"),
        ("other.png", "not among"),
    ],
)
def test_a_name_that_may_not_stand_in_a_folder_of_ours_is_refused(path: str, why: str) -> None:
    assert why in refusal(member(path, b"data"))


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (b"1", "a hard link"),
        (b"2", "a symbolic link"),
        (b"3", "a character device"),
        (b"4", "a block device"),
        (b"6", "a FIFO"),
        (b"7", "neither a regular file nor a folder"),
        (b"X", "neither a regular file nor a folder"),
        (b"S", "neither a regular file nor a folder"),
    ],
)
def test_only_regular_files_come_home(kind: bytes, why: str) -> None:
    assert refusal(member("run_1/x", kind=kind, link="/etc/passwd")) == why


def test_a_folder_is_no_file_and_no_news() -> None:
    kept, _ = read(archive(member("run_1/sub/", kind=b"5"), member("run_1/sub/x", b"1")))
    assert kept.files.paths() == ("run_1/sub/x",)
    assert kept.refused == ()


def test_a_folder_below_the_last_level_is_named_since_nothing_in_it_was_read() -> None:
    kept, _ = read(archive(member("run_1/a/b/c/", kind=b"5")))
    assert kept.refused == (("run_1/a/b/c", "a folder below the last level that is read"),)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("run_1/a", "run_1/A"),
        ("run_1/a", "run_1/a"),
        ("run_1/\u00e9", "run_1/e\u0301"),
        ("run_1/fi", "run_1/\ufb01"),
        ("run_1/x", "run_1/X/y"),
        ("run_1/x/y", "run_1/X"),
    ],
)
def test_of_two_names_that_some_file_system_would_take_for_one_the_first_stays(
    first: str, second: str
) -> None:
    kept, _ = read(archive(member(first, b"1"), member(second, b"2")))
    assert kept.files.paths() == (first,)
    assert len(kept.refused) == 1


def test_counts_and_sizes_are_capped_and_the_files_over_them_named() -> None:
    many = [member(f"run_1/{i}") for i in range(7)]
    kept, _ = read(archive(*many))
    assert len(kept.files.files) == 5
    assert [path for path, _ in kept.refused] == ["run_1/5", "run_1/6"]
    assert refusal(member("run_1/x", bytes(4_001))) == "4001 bytes; at most 4000 a file"
    fits = [member(f"run_1/{i}", bytes(4_000)) for i in range(2)]
    assert refusal(*fits, member("run_1/z", bytes(1_500 + 501))) == "more than 10000 bytes in all"


def test_what_the_reader_left_out_is_named_with_its_size() -> None:
    left_out = member("run_1/sparse", kind=b"Z", link=str(10 << 40))
    assert refusal(left_out) == f"{10 << 40} bytes, over what may be harvested"
    assert "the rest was not read" in refusal(member("more", kind=b"Y"))


def test_a_hundred_refusals_are_named_and_the_others_counted() -> None:
    kept, _ = read(archive(*(member(f"-{i}") for i in range(150))))
    assert len(kept.refused) == 101
    assert kept.refused[-1] == ("and 50 more", "not named one by one")


def test_more_members_than_any_reader_sends_stop_the_harvest() -> None:
    few = replace(RULES, files=0)
    with pytest.raises(HarvestRefused, match="more members"):
        read(archive(*(member(f"-{i}") for i in range(few.members + 2))), few)


def test_content_without_end_stops_the_harvest_before_it_is_read() -> None:
    info = tarfile.TarInfo("run_1/endless")
    info.size = 10 << 40
    head = info.tobuf(tarfile.GNU_FORMAT)
    taken = 0

    def endless() -> Iterator[bytes]:
        nonlocal taken
        yield head
        while True:
            taken += 1
            yield bytes(4096)

    with pytest.raises(HarvestRefused, match="larger than"):
        harvest(endless(), RULES, WholeBlobs(MemoryBlobs()))
    assert taken == 0


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"", "ended early"),
        (member("run_1/x", b"1234")[:600], "ended early"),
        (member("run_1/x", b"1234"), "ended early"),
        (b"\x1f\x8b" + bytes(600), "not the archive"),
        (b"x" * 1024, "not the archive"),
        (member("run_1/x", b"content of a link", kind=b"2"), "content in a member"),
        (member("x" * 70_000, b""), "long name"),
        (member("././@LongLink", b"name\0", kind=b"L") + bytes(1024), "long name"),
        (member("././@LongLink", b"name\0", kind=b"L") * 2, "long name"),
        (member("pax", b"12 path=../x\n", kind=b"x"), "content in a member"),
        (member("pax", b"12 path=../x\n", kind=b"g"), "content in a member"),
    ],
)
def test_a_stream_that_breaks_its_format_is_refused_as_a_whole(data: bytes, match: str) -> None:
    with pytest.raises(HarvestRefused, match=match):
        read(data)


def test_a_header_whose_sum_is_wrong_is_no_header() -> None:
    data = bytearray(archive(member("run_1/x", b"1234")))
    data[5] ^= 1
    with pytest.raises(HarvestRefused):
        read(bytes(data))


def test_long_names_are_read_and_then_judged() -> None:
    deep = "run_1/" + "/".join(["d" * 100] * 2)
    assert read(archive(member(deep, b"1")))[0].files.paths() == (deep,)
    assert "levels deep" in refusal(member("run_1/" + "/".join("d" * 90), b"1"))


@given(st.binary(max_size=3000))
def test_no_bytes_whatever_raise_anything_but_a_refusal(data: bytes) -> None:
    try:
        kept, _ = read(data)
    except HarvestRefused:
        return
    assert kept.files.files == ()


@given(st.lists(st.tuples(st.text(max_size=40), st.binary(max_size=600)), max_size=8), st.data())
def test_a_damaged_archive_keeps_the_rules_or_is_refused(
    files: list[tuple[str, bytes]], data: st.DataObject
) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for name, content in files:
            info = tarfile.TarInfo("run_1/" + name.replace("\0", ""))
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    raw = bytearray(out.getvalue())
    for at in data.draw(st.lists(st.integers(0, len(raw) - 1), max_size=3)):
        raw[at] ^= 0xFF
    try:
        kept, _ = read(bytes(raw))
    except HarvestRefused:
        return
    assert len(kept.files.files) <= RULES.files
    for path in kept.files.paths():
        assert why_unsafe(path, RULES.depth) is None
        assert path.startswith("run_1/")
    assert all(path.isprintable() for path, _ in kept.refused)


@given(st.text())
def test_a_shown_path_is_printable_and_short(path: str) -> None:
    assert shown(path).isprintable()
    assert len(shown(path)) <= 201
