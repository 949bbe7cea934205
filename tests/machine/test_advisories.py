"""Versions are read as they are written, and a hole is open until somebody is known to have mended it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.host import Host
from orchestrator.machine.doctor.advisories import (
    ADVISORIES,
    Exposure,
    exposures,
    is_fixed,
    read_version,
)
from orchestrator.machine.doctor.versions import version_checks

THREE = ("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881")


def host(**components: str) -> Host:
    return Host(engine=None, components=tuple(components.items()))


def three(seen: Host) -> Exposure:
    """What is known of one row of the table."""
    return next(one for one in exposures(seen) if one.advisory.ids == THREE)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1.1.5+ds1", (1, 1, 5)),
        ("20.10.24+dfsg1", (20, 10, 24)),
        ("1.6.20~ds1", (1, 6, 20)),
        ("1.17.8-1", (1, 17, 8)),
        ("28.2.2-0ubuntu1~24.04.1", (28, 2, 2)),
        ("v1.2", (1, 2, 0)),
    ],
)
def test_what_a_distribution_adds_is_no_part_of_the_number(
    text: str, numbers: tuple[int, ...]
) -> None:
    found = read_version(text)
    assert found is not None
    assert (found[0], found == read_version(".".join(map(str, numbers)))) == (numbers, True)


def test_a_candidate_comes_before_its_release_and_candidates_count_upwards() -> None:
    order = ["1.0-rc6", "1.0.0~rc93+ds1", "1.0.0-rc95", "1.0.0", "1.4.0-beta.1", "1.4.0-rc.3",
             "1.4.0", "1.10.0"]  # fmt: skip
    found = [read_version(text) for text in order]
    assert None not in found
    assert found == sorted(found, key=lambda number: number or ((0,), 0, 0))


@pytest.mark.parametrize(
    "text", ["", "unknown", "library-import", "5:24.0.7-1", "1.2.3foo", "$(id)"]
)
def test_what_is_no_version_is_not_guessed_at(text: str) -> None:
    assert read_version(text) is None


NUMBERS = st.tuples(*[st.integers(0, 99)] * 3)
STAGES = st.sampled_from(["", "-rc.1", "-rc2", "~rc12", "-beta.3"])


@given(NUMBERS, STAGES, st.sampled_from(["", "+ds1", "-1", "+dfsg1-1+deb12u1", "~ds1"]))
def test_any_version_is_read_whatever_a_distribution_hangs_on_it(
    numbers: tuple[int, ...], stage: str, tail: str
) -> None:
    bare = ".".join(map(str, numbers)) + stage
    found = read_version(bare + tail)
    assert found is not None
    assert (found[0], found) == (numbers, read_version(bare))


@given(st.lists(NUMBERS, min_size=1, max_size=4), NUMBERS, st.integers(0, 9))
def test_a_later_version_of_the_same_line_is_never_less_mended(
    fixed: list[tuple[int, ...]], version: tuple[int, ...], more: int
) -> None:
    rows = tuple(".".join(map(str, numbers)) for numbers in fixed)
    earlier = read_version(".".join(map(str, version)))
    later = read_version(".".join(map(str, (*version[:2], version[2] + more))))
    assert earlier is not None
    assert later is not None
    assert is_fixed(later, rows) or not is_fixed(earlier, rows)


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ("1.1.15", False),
        ("1.2.7", False),
        ("1.2.8", True),
        ("1.2.9", True),
        ("1.3.2", False),
        ("1.3.3", True),
        ("1.4.0-rc.2", False),
        ("1.4.0-rc.3", True),
        ("1.4.0", True),
        ("1.5.0-rc.1", True),
    ],
)
def test_each_release_line_is_mended_at_its_own_version(version: str, fixed: bool) -> None:  # noqa: FBT001
    number = read_version(version)
    assert number is not None
    assert is_fixed(number, ("1.2.8", "1.3.3", "1.4.0-rc.3")) is fixed


def test_an_old_runc_is_open_until_its_distribution_names_every_one_of_them() -> None:
    bare = three(host(runc="1.1.5+ds1"))
    assert (bare.status, bare.ids) == ("open", THREE)
    some = Host(
        engine=None,
        components=(("runc", "1.1.5+ds1"),),
        patched=tuple(("runc", cve, "runc 1.1.5+ds1-1+deb12u9") for cve in THREE[:2]),
    )
    assert three(some).ids == THREE[2:]
    every = Host(
        engine=None,
        components=(("runc", "1.1.5+ds1"),),
        patched=tuple(("runc", cve, "runc 1.1.5+ds1-1+deb12u9") for cve in THREE),
    )
    found = three(every)
    assert (found.status, found.where) == ("patched", "runc 1.1.5+ds1-1+deb12u9")


def test_what_another_package_mended_does_not_count() -> None:
    seen = Host(
        engine=None,
        components=(("runc", "1.1.5"),),
        patched=tuple(("containerd", cve, "containerd 9") for cve in THREE),
    )
    assert three(seen).status == "open"


def test_a_version_that_cannot_be_read_is_neither_open_nor_mended_but_said() -> None:
    assert {one.status for one in exposures(host(runc="built here"))} == {"unread"}
    checks = {check.name: check for check in version_checks(host(runc="built here"))}
    assert (checks["runc"].state, "no version" in checks["runc"].found) == ("warn", True)


def test_a_hole_within_a_programs_reach_fails_and_one_that_needs_our_images_warns() -> None:
    old = list(version_checks(host(**{"nvidia-container-toolkit": "1.17.3-1"})))
    (fails,) = [check for check in old if check.state == "fail"]
    (warns,) = [check for check in old if check.state == "warn" and "nvidia" in check.name]
    assert "CVE-2026-24260" in fails.found
    assert "CVE-2025-23266, CVE-2025-23267" in warns.found
    assert "CVE-2026-24260" not in warns.found
    new = list(version_checks(host(**{"nvidia-container-toolkit": "1.19.1"})))
    assert [c.state for c in new if c.name == "nvidia-container-toolkit"] == ["ok"]


def test_the_remedy_is_a_version_that_closes_everything_that_is_open() -> None:
    checks = {check.name: check for check in version_checks(host(runc="1.1.5"))}
    assert checks["runc"].todo == "runc 1.3.6 or 1.4.3 or 1.5.0-rc.3, or newer"
    assert len(checks["runc"].details) == 4
    for version in ("1.3.6", "1.4.3", "1.5.0-rc.3"):
        closed = {check.name: check for check in version_checks(host(runc=version))}
        assert closed["runc"].state == "ok"


def test_an_engine_that_hides_its_parts_versions_is_warned_of() -> None:
    checks = {check.name: check.state for check in version_checks(host(Engine="29.6.0"))}
    assert (checks["runc"], checks["containerd"]) == ("warn", "warn")


def test_a_distributions_package_is_pointed_to_its_tracker_and_no_other_is() -> None:
    debian = Host(
        engine=None,
        components=(("runc", "1.1.5+ds1"),),
        packages=(("runc", "1.1.5+ds1-1"),),
        system="Debian GNU/Linux 12 (bookworm)",
    )
    todo = next(check.todo for check in version_checks(debian) if check.name == "runc")
    assert "security-tracker.debian.org/tracker/source-package/runc" in todo
    todo = next(c.todo for c in version_checks(host(runc="1.1.5")) if c.name == "runc")
    assert "tracker" not in todo


def test_every_row_names_its_source_its_remedy_and_why_it_counts_as_it_does() -> None:
    for row in ADVISORIES:
        assert row.source.startswith("https://"), row.ids
        assert all(cve.startswith("CVE-") for cve in row.ids)
        assert row.here
        assert row.needs
        assert all(read_version(text) is not None for text in row.fixed), row.ids
    ids = [cve for row in ADVISORIES for cve in row.ids]
    assert len(ids) == len(set(ids))
