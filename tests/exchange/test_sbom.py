"""Bills of materials are CycloneDX by its own schema, name what is locked and in the images; the VEX answers each hole."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from typer.testing import CliRunner

import cli
from orchestrator.api.sbom import bill_of_host, bill_of_image
from orchestrator.core.errors import BadFile, UnknownName
from orchestrator.exchange.components import SoftwarePackage, licence_of
from orchestrator.exchange.host_packages import locked_packages, packages_here
from orchestrator.exchange.image_packages import debian_packages, python_packages
from orchestrator.sandbox.engine.client import connect
from tests.support.places import ROOT

LOCKED = tomllib.loads((ROOT / "uv.lock").read_text("utf-8"))["package"]
VEX = json.loads((ROOT / "docs" / "vex.json").read_text("utf-8"))
# The holes that a scanner finds in what was ever locked here.
ASKED = {
    *("CVE-2026-35029", "CVE-2026-35030", "CVE-2026-42271", "CVE-2026-49468"),
    *("CVE-2026-69244", "CVE-2026-48818", "CVE-2026-54283"),
    *("CVE-2025-8869", "CVE-2024-6345", "CVE-2025-47273"),
}


def valid(bill: dict[str, Any]) -> None:
    """Raise for what CycloneDX's own schema or reader refuses."""
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill))
    assert fault is None, fault
    read = Bom.from_json(data=bill)
    assert len(read.components) == len(bill["components"])


def test_the_hosts_bill_is_the_lock_with_hashes_and_no_tool_of_development() -> None:
    bill = bill_of_host()
    valid(bill)
    named = {one["name"]: one for one in bill["components"]}
    assert {"litellm", "docker", "cryptography", "aiohttp"} <= named.keys()
    assert not {"pytest", "torch", "cyclonedx-python-lib", "pymupdf", "aisci-lab"} & named.keys()
    locked = {(one["name"], one["version"]) for one in LOCKED if "version" in one}
    assert {(one["name"], one["version"]) for one in bill["components"]} <= locked
    for one in bill["components"]:
        assert one["externalReferences"], one["name"]
        assert all(
            re.fullmatch("[0-9a-f]{64}", f["hashes"][0]["content"])
            for f in one["externalReferences"]
        )
    assert named["litellm"]["licenses"]


def test_most_packages_of_the_host_name_their_licence() -> None:
    components = bill_of_host()["components"]
    lacking = [one["name"] for one in components if "licenses" not in one]
    assert len(lacking) <= len(components) * 0.1, lacking


def test_the_same_packages_give_the_same_bill() -> None:
    assert json.dumps(bill_of_host()) == json.dumps(bill_of_host())


def test_without_a_lock_the_packages_here_are_named() -> None:
    named = {one.name: one for one in packages_here()}
    assert named.keys() <= {one.name for one in locked_packages(ROOT / "uv.lock")}
    assert {"litellm", "pydantic", "typer"} <= named.keys()
    assert all(one.version for one in named.values())


def test_a_lock_that_is_none_is_an_error_with_its_place(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("package = 3")
    with pytest.raises(BadFile, match="no lock"):
        locked_packages(tmp_path / "uv.lock")


DPKG = """Package: libc6
Status: install ok installed
Architecture: amd64
Version: 2.36-9+deb12u10
Description: a library
 Package: not-this-one

Package: gone
Status: deinstall ok config-files
Version: 1

Package: evil\x1b[2J
Status: install ok installed
Version: 1
"""


def test_debians_list_gives_what_is_installed_with_its_licences() -> None:
    licences = (
        "\x1e/usr/share/doc/libc6/copyright\nLicense: LGPL-2.1+\nLicense: LGPL-2.1+\nLicense: BSD\n"
    )
    (one,) = debian_packages(DPKG, licences)
    assert one.purl == "pkg:deb/debian/libc6@2.36-9%2Bdeb12u10?arch=amd64"
    assert one.licence == "LGPL-2.1+; BSD"


def test_pythons_metadata_gives_name_version_and_licence_and_nothing_hostile() -> None:
    told = (
        "\x1e/a/METADATA\nMetadata-Version: 2.1\nName: PyMuPDF\nVersion: 1.28.2\n"
        "License: Dual Licensed - GNU AFFERO GPL 3.0 or Artifex Commercial License\n"
        "\x1e/b/METADATA\nName: ../../x\nVersion: 1\n\x1e/c/METADATA\nName: y\nVersion: 2\x1b[2J\n"
    )
    mupdf, other = python_packages(told)
    assert mupdf.purl == "pkg:pypi/pymupdf@1.28.2"
    assert "AFFERO" in mupdf.licence
    assert other.version == "2\\x1b[2J"


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\n", ("MIT OR Apache-2.0", True)),
        ("License-Expression: x; y\nLicense: BSD\n", ("BSD", False)),
        (
            "License: UNKNOWN\nClassifier: License :: OSI Approved :: MIT License\n",
            ("MIT License", False),
        ),
        ("Name: x\n\nLicense: in the description\n", ("", False)),
    ],
)
def test_a_licence_is_read_from_the_headers(metadata: str, licence: tuple[str, bool]) -> None:
    assert licence_of(metadata) == licence


def test_the_command_writes_the_bill(tmp_path: Path) -> None:
    said = CliRunner().invoke(cli.app, ["sbom", "--into", str(tmp_path / "bom.json")])
    assert said.exit_code == 0, said.output
    valid(json.loads((tmp_path / "bom.json").read_text()))


def test_a_bill_that_is_none_would_be_seen() -> None:
    bill = bill_of_host()
    bill["components"][0]["type"] = "thing"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(bill)) is not None


def test_the_vex_is_cyclonedx_and_answers_each_hole_with_a_reason() -> None:
    valid(VEX)
    answered = {one["id"] for one in VEX["vulnerabilities"]}
    assert answered == ASKED
    for one in VEX["vulnerabilities"]:
        assert len(one["analysis"]["detail"]) > 40
        if one["analysis"]["state"] != "resolved":
            assert one["analysis"]["justification"]


def test_the_vex_speaks_of_the_versions_that_are_locked_now() -> None:
    """After a new lock this names what is to be looked at again."""
    locked = {f"{one['name']}@{one['version']}" for one in LOCKED if "version" in one}
    for lock in sorted((ROOT / "sandbox" / "locks").glob("*.txt")):
        found = re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text("utf-8"), re.MULTILINE)
        locked |= {f"{name}@{version}" for name, version in found}
    said = {one["bom-ref"].removeprefix("pkg:pypi/") for one in VEX["components"]}
    assert said <= locked
    names = {one.partition("@")[0] for one in said}
    assert {one for one in locked if one.partition("@")[0] in names} == said


def test_a_package_address_escapes_what_has_a_meaning() -> None:
    odd = SoftwarePackage(kind="deb", namespace="debian", name="libstdc++6", version="12.2:1")
    assert odd.purl == "pkg:deb/debian/libstdc%2B%2B6@12.2%3A1"


@pytest.mark.engine
@pytest.mark.parametrize(
    ("image", "packages"),
    [
        ("aisci-storage", {"pkg:deb/debian/e2fsprogs@"}),
        ("aisci-latex", {"pkg:deb/debian/poppler-utils@", "pkg:pypi/pymupdf@"}),
    ],
)
def test_an_images_bill_names_debians_and_pythons_packages_and_the_base(
    image: str, packages: set[str]
) -> None:
    bill = bill_of_image(connect(), image)
    valid(bill)
    refs = [one["bom-ref"] for one in bill["components"]]
    assert all(any(ref.startswith(one) for ref in refs) for one in packages)
    subject = bill["metadata"]["component"]
    facts = {one["name"]: one["value"] for one in subject["properties"]}
    assert facts["aisci:base"].startswith("sha256:")
    assert subject["version"].startswith("sha256:")
    for one in bill["components"]:
        if one["name"] == "pymupdf":
            assert "AFFERO" in json.dumps(one["licenses"]).upper()


@pytest.mark.engine
def test_an_image_that_the_engine_does_not_have_is_the_users_mistake() -> None:
    with pytest.raises(UnknownName) as caught:
        bill_of_image(connect(), "nothing-of-this-name")
    assert caught.value.where == "aisci sbom nothing-of-this-name"
    assert "aisci images list" in caught.value.todo
