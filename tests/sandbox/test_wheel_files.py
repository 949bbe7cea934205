"""Wheels of a template's list: read as archives, refused where they would start code by themselves."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path

import pytest

from orchestrator.core.errors import ImageBuildFailed
from orchestrator.core.files import shipped_root
from orchestrator.sandbox.images.derived import DOCKERFILE
from orchestrator.sandbox.images.wheel_files import (
    Wheel,
    absent_modules,
    add_wheels,
    read_wheel,
    unmet_needs,
)

METADATA = "Metadata-Version: 2.1\nName: Red_Team.spec\nVersion: 1.2\n"


def wheel(folder: Path, files: dict[str, str], metadata: str = METADATA, name: str = "a") -> Path:
    path = folder / f"{name}-1.2-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.2.dist-info/METADATA", metadata)
        for member, text in files.items():
            archive.writestr(member, text)
    return path


def packed(*wheels: Wheel) -> dict[str, tuple[str, int]]:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        add_wheels(tar, wheels, "extra")
    out.seek(0)
    with tarfile.open(fileobj=out) as tar:
        files = [one for one in tar if one.isfile()]
        return {one.name: (tar.extractfile(one).read().decode(), one.mode) for one in files}  # type: ignore[union-attr]  # files alone


def test_a_wheels_files_come_as_they_lie_in_site_packages(tmp_path: Path) -> None:
    made = wheel(
        tmp_path,
        {
            "pkg/__init__.py": "x",
            "a-1.2.data/purelib/more/m.py": "y",
            "a-1.2.data/scripts/run": "#!python",
            "a-1.2.data/headers/h.h": "",
        },
    )
    read = read_wheel(made)
    assert (read.name, read.version) == ("red-team-spec", "1.2")
    assert set(packed(read)) == {
        "extra/pkg/__init__.py", "extra/more/m.py", "extra/a-1.2.dist-info/METADATA",
    }  # fmt: skip


@pytest.mark.parametrize(
    "hook",
    ["x.pth", "sitecustomize.py", "usercustomize/__init__.py", "a-1.2.data/purelib/y.pth"],
)
def test_a_package_that_would_run_at_each_start_of_python_is_refused(
    tmp_path: Path, hook: str
) -> None:
    with pytest.raises(ImageBuildFailed) as refused:
        read_wheel(wheel(tmp_path, {hook: "import os"}))
    assert "at each of its starts" in refused.value.why
    read_wheel(wheel(tmp_path, {f"pkg/{hook}": "below a package it is a file like others"}))


@pytest.mark.parametrize(
    "name", ["../x.py", "/etc/x", "a//b", "a/../../x", "a\\b", "a\nb", "a-1.2.data/purelib/../x"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageBuildFailed, match="refused"):
        read_wheel(wheel(tmp_path, {name: ""}))


def test_a_link_in_a_wheel_is_refused(tmp_path: Path) -> None:
    made = wheel(tmp_path, {})
    with zipfile.ZipFile(made, "a") as archive:
        link = zipfile.ZipInfo("link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ImageBuildFailed, match="refused"):
        read_wheel(made)


@pytest.mark.parametrize("data", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_wheel_is_refused_with_its_reason(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x-1-py3-none-any.whl"
    path.write_bytes(data)
    with pytest.raises(ImageBuildFailed) as refused:
        read_wheel(path)
    assert "no wheel" in refused.value.why


def test_needs_are_met_by_the_list_or_the_image_or_told(tmp_path: Path) -> None:
    needs = (
        "Requires-Dist: numpy>=2\nRequires-Dist: absent\nRequires-Dist: torch<2\n"
        'Requires-Dist: colorama; sys_platform == "win32"\nRequires-Dist: pytest; extra == "dev"\n'
        "Requires-Dist: ~~~\n"
    )
    read = read_wheel(wheel(tmp_path, {}, METADATA + needs))
    told = list(unmet_needs([read], {"numpy": "2.4.1", "torch": "2.13.0+cpu"}))
    assert [line.split(",")[0] for line in told] == [
        "red-team-spec needs absent",
        "red-team-spec needs torch<2; the image has torch 2.13.0+cpu",
        "red-team-spec says what it needs in no known form: '~~~'",
    ]


def test_a_module_is_looked_for_among_files_and_its_package_is_not_imported(tmp_path: Path) -> None:
    files = {
        "pkg/__init__.py": "raise SystemExit('it ran')",
        "pkg/sub.cpython-311-x.so": "",
        "one.py": "",
    }
    read = read_wheel(wheel(tmp_path, files))
    wanted = ("pkg", "pkg.sub", "one", "pkg.other", "pk", "json")
    told = list(absent_modules([read], wanted, frozenset({"json"})))
    assert [re.findall(r"'(.+?)'", line)[0] for line in told] == ["pkg.other", "pk"]


def test_the_build_of_a_templates_image_runs_no_program() -> None:
    text = (shipped_root() / DOCKERFILE).read_text()
    steps = [line.split()[0] for line in text.splitlines() if line and not line.startswith("#")]
    assert steps == ["ARG", "FROM", "COPY"]
