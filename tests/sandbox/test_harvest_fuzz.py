"""Bytes from a hostile container, made to pass every first look: the harvest never slips."""

from __future__ import annotations

import os
import sys
import tempfile
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import HarvestRefused
from orchestrator.core.filenames import why_unsafe
from orchestrator.record.blobs import BlobStore
from orchestrator.sandbox.harvest.harvest import Harvested, HarvestRules, harvest
from tests.support.sample import examples

RULES = HarvestRules(paths=("run_1/", "*.png"), files=4, bytes=5_000, file=3_000, depth=3)
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


@dataclass
class Disk:
    """Every path that this process opens for writing, makes, renames or removes."""

    on: bool = False
    touched: set[str] = field(default_factory=set)

    def hook(self, event: str, args: tuple[object, ...]) -> None:
        if not self.on:
            return
        if event == "open" and isinstance(args[0], str) and int(str(args[2])) & WRITES:
            self.touched.add(args[0])
        elif event in {"os.rename", "os.remove", "os.mkdir", "os.link", "os.symlink"}:
            self.touched |= {os.fsdecode(arg) for arg in args[:2] if isinstance(arg, str | bytes)}


DISK = Disk()
sys.addaudithook(DISK.hook)  # stays as long as the process: it looks only while a test asks


def header(name: bytes, kind: bytes, size: bytes, link: bytes = b"", magic: bytes = b"") -> bytes:
    """A header with any fields at all, and the sum that makes it look right."""
    block = bytearray(512)
    block[0:100] = name[:100].ljust(100, b"\0")
    block[124:136] = size[:12].ljust(12, b"\0")
    block[156:157] = kind
    block[157:257] = link[:100].ljust(100, b"\0")
    block[257:265] = magic or b"ustar  \0"
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


NAMES = st.one_of(
    st.binary(max_size=100),
    st.text(max_size=40).map(lambda text: b"run_1/" + text.encode("utf-8", "surrogatepass")),
    st.sampled_from([b"run_1/a", b"run_1/A", b"run_1/a/b", b"x.png", b"run_1", b"../x", b"/etc/x",
                     b"run_1/../../x", b"run_1/.git/config", b"run_1/\xff", b"", b"/", b"-rf"]),
)  # fmt: skip
SIZES = st.one_of(
    st.integers(0, 4_000).map(lambda size: b"%011o\0" % size),
    st.sampled_from([b"77777777777\0", b"\x80" + b"\xff" * 11, b"\xff" * 12, b"-0000000001\0",
                     b"+1\0", b"0x10\0", b" 7 7\0", b"\xb2\0", b"00000000009\0", b"\x80" + bytes(11)]),
    st.binary(min_size=12, max_size=12),
)  # fmt: skip
MEMBERS = st.builds(
    lambda name, kind, size, link, content: header(name, kind, size, link) + content,
    NAMES,
    st.sampled_from([bytes([b]) for b in b"01234567LKxgSYZDMNVX\0"]),
    SIZES,
    st.binary(max_size=30),
    st.one_of(st.just(b""), st.integers(0, 8).map(lambda n: b"c" * 512 * n), st.binary(max_size=600)),
)  # fmt: skip
HONEST = st.builds(
    lambda name, content: (
        header(name, b"0", b"%011o\0" % len(content)) + content + bytes(-len(content) % 512)
    ),
    NAMES,
    st.binary(max_size=3_500),
)


def pieces(data: bytes, step: int) -> Iterator[bytes]:
    for at in range(0, len(data), step):
        yield data[at : at + step]


def taken(data: bytes, folder: Path, step: int = 777) -> Harvested | None:
    """The harvest of ``data`` into a store in ``folder``; None where it was refused as a whole."""
    DISK.touched.clear()
    DISK.on = True
    try:
        return harvest(pieces(data, step), RULES, BlobStore(folder))
    except HarvestRefused:
        return None
    finally:
        DISK.on = False


def check(data: bytes, step: int) -> None:
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "blobs"
        got = taken(data, folder, step)
        inside = (str(folder), str(folder) + "/")
        outside = {path for path in DISK.touched if path != inside[0]}
        assert all(path.startswith(inside[1]) for path in outside), outside
        kept = sorted(path.name for path in folder.iterdir()) if folder.exists() else []
        assert not any(name.startswith(".new-") for name in kept)
        assert sum(path.stat().st_size for path in folder.glob("*")) <= RULES.bytes
        if got is None:
            return
        assert len(got.files.files) <= RULES.files
        assert {sha256 for _, sha256 in got.files.files} <= set(kept)
        for path in got.files.paths():
            assert why_unsafe(path, RULES.depth) is None
            assert RULES.want(path)
        assert all(path.isprintable() and len(path) <= 201 for path, _ in got.refused)


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.one_of(MEMBERS, HONEST), max_size=8),
    st.sampled_from([0, 1024]),
    st.integers(1, 5_000),
)
def test_headers_of_any_content_keep_the_rules_or_end_the_harvest(
    members: list[bytes], end: int, step: int
) -> None:
    """Only :class:`HarvestRefused` is raised, and nothing outside the store is written."""
    check(b"".join(members) + bytes(end), step)


@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(HONEST, min_size=1, max_size=5), st.data())
def test_an_honest_archive_with_changed_fields_keeps_the_rules_or_is_refused(
    members: list[bytes], data: st.DataObject
) -> None:
    """Fields are changed and the header's sum is made right again, so that the parser reads on."""
    raw = [bytearray(member) for member in members]
    for member in raw:
        at = data.draw(st.integers(0, 264))
        new = data.draw(st.binary(min_size=1, max_size=12))
        member[at : at + len(new)] = new
        member[148:156] = b" " * 8
        member[148:156] = b"%06o\0 " % sum(member[:512])
    check(b"".join(raw) + bytes(1024), data.draw(st.integers(1, 2_000)))


@given(st.binary(max_size=4_096), st.integers(1, 600))
def test_any_bytes_at_all_keep_the_rules_or_are_refused(data: bytes, step: int) -> None:
    check(data, step)


def long_names() -> Iterator[bytes]:
    """Names as long as they may be sent, as many as may be sent."""
    name = b"run_1/" + b"n" * 65_000
    length = b"%011o\0" % len(name)
    padded = name + bytes(-len(name) % 512)
    for _ in range(RULES.members):
        yield header(b"././@LongLink", b"L", length) + padded + header(b"x", b"0", b"0\0")
    yield bytes(1024)


def refused_kinds() -> Iterator[bytes]:
    for number in range(RULES.members):
        yield header(b"run_1/%d" % number, b"2", b"0\0", b"t" * 100)
    yield bytes(1024)


def unwanted_content() -> Iterator[bytes]:
    yield header(b"elsewhere", b"0", b"%011o\0" % 5_000) + bytes(5_120) + bytes(1024)


@pytest.mark.parametrize("stream", [long_names, refused_kinds, unwanted_content])
def test_memory_stays_small_whatever_is_sent(stream: object, tmp_path: Path) -> None:
    """About 66 MB of names pass through; four megabytes are never held."""
    tracemalloc.start()
    try:
        got = harvest(stream(), RULES, BlobStore(tmp_path))  # type: ignore[operator]  # one of three
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 4 << 20
    assert got.files.files == ()
    assert len(got.refused) <= 101
