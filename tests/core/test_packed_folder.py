"""Archives of plain files: the same bytes each time, and no hostile one gets a byte out of its folder."""

from __future__ import annotations

import io
import lzma
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.packed_folder import NotPacked, packed, unpacked, write_unpacked


def archive(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for info, data in members:
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return lzma.compress(out.getvalue())


def named(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def test_files_come_back_and_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    files = {"run/journal.jsonl": b"{}\n", "about.json": b"", "run/" + "d/" * 40 + "x": b"\0" * 9}
    made = packed(files)
    assert made == packed(dict(reversed(files.items())))
    assert unpacked(made) == files
    write_unpacked(unpacked(made), tmp_path)
    assert (tmp_path / "run/journal.jsonl").read_bytes() == b"{}\n"


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../up", "a/../../up", "a//b", "./a", "a/", "", "a\\b", "a\nb", "a\x1b[2J"],
)
def test_a_name_that_is_no_path_below_a_folder_is_refused(name: str) -> None:
    with pytest.raises(NotPacked, match="no path below a folder"):
        unpacked(archive((named(name), b"x")))
    with pytest.raises(NotPacked, match="no path below a folder"):
        packed({name: b"x"})


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE],
)
def test_what_is_no_plain_file_is_refused(kind: bytes) -> None:
    with pytest.raises(NotPacked, match="is no plain file"):
        unpacked(archive((named("a", kind, "/etc/passwd"), b"")))


def test_a_file_twice_and_a_file_that_is_a_folder_are_refused() -> None:
    with pytest.raises(NotPacked, match="twice"):
        unpacked(archive((named("a"), b"1"), (named("a"), b"2")))
    with pytest.raises(NotPacked, match="a file and a folder"):
        unpacked(archive((named("a"), b"1"), (named("a/b"), b"2")))


def test_what_grows_past_the_bound_is_not_decompressed() -> None:
    bomb = archive((named("a"), bytes(1 << 20)))
    assert len(bomb) < 1000
    with pytest.raises(NotPacked, match="more than 100000 bytes"):
        unpacked(bomb, most=100_000)


def test_a_cut_archive_and_one_with_a_tail_are_refused() -> None:
    whole = packed({"a": b"x" * 5000})
    for data in (
        whole[:-1],
        whole + b"x",
        whole[: len(whole) // 2],
        b"",
        lzma.compress(b"no tar" * 99),
    ):
        with pytest.raises(NotPacked):
            unpacked(data)


@given(st.binary(max_size=3000), st.booleans())
def test_no_bytes_but_an_archive_are_more_than_refused(data: bytes, inside: bool) -> None:  # noqa: FBT001
    try:
        found = unpacked(lzma.compress(data) if inside else data)
    except NotPacked:
        return
    assert found == {} or all(isinstance(one, bytes) for one in found.values())
