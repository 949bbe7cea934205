"""Packages beyond the base image: a locked list, an image built from it, nothing installed in a run."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.errors import BadTemplate, ImageMissing, ImageStale
from orchestrator.core.files import shipped_root
from orchestrator.sandbox.engine.client import Engine, connect
from orchestrator.sandbox.images.derived import Derived, resolve_template_image
from orchestrator.template.lockfile import (
    base_packages,
    beside_base,
    importable,
    normal_name,
    read_lock,
)
from orchestrator.template.template import load_template
from tests.support.places import ROOT
from tests.support.template_rig import contract_findings

QUICK = ROOT / "tests/data/quick"
POLICY = str(ROOT / "tests/data/policies/quick.yaml")
TOOLZ = "toolz==1.0.0 \\\n    --hash=sha256:292c8f1c4e7516bf9086f8850935c799a874039c8bcf959d47b600e4c44a6236\n"
ZERO = "0" * 64


def template(folder: Path, lock: str = TOOLZ) -> Path:
    """The quick template, whose experiment now uses a package that the base image lacks."""
    shutil.copytree(QUICK, folder)
    manifest = folder / "template.yaml"
    text = manifest.read_text().replace("name: quick", f"name: {folder.name}")
    manifest.write_text(
        text.replace("packages: [matplotlib]", "packages: [matplotlib, toolz]\nlock: packages.txt")
    )
    code = folder / "experiment.py"
    code.write_text(
        code.read_text()
        .replace("import random\n", "import random\n\nimport toolz\n")
        .replace("runs = [fit(seed) for seed in SEEDS]", "runs = list(toolz.concat([[fit(seed)] for seed in SEEDS]))")
    )  # fmt: skip
    (folder / "packages.txt").write_text(f"# what is missing\n{lock}")
    return folder


def findings(folder: Path) -> list[tuple[str, str]]:
    return [
        (one.where, one.what)
        for one in contract_findings(load_template(f"{folder}/", shipped_root()))
    ]


# --- the list -----------------------------------------------------------------------------


def test_a_list_as_pip_locks_it_is_read_whole() -> None:
    packages, wrong = read_lock(
        f"# by uv\n{TOOLZ}    # via nothing\nA_b.C==2 --hash=sha256:{ZERO}\n"
    )
    assert wrong == ()
    assert [(one.name, one.version, one.line) for one in packages] == [
        ("toolz", "1.0.0", 2),
        ("a-b-c", "2", 5),
    ]


@pytest.mark.parametrize(
    ("lock", "line", "words"),
    [
        ("toolz\n", 2, "not an exact version"),
        (f"toolz>=1 --hash=sha256:{ZERO}\n", 2, "not an exact version"),
        ("toolz==1.0.0\n", 2, "not locked: no hash"),
        ("toolz==1.0.0 --hash=md5:abc\n", 2, "not locked: --hash=md5:abc"),
        (f"toolz==1.0.0 --hash=sha256:{ZERO} --index-url=x\n", 2, "not locked: --index-url=x"),
        (f"{TOOLZ}-e ./here\n", 4, "not an exact version"),
        (f"{TOOLZ}git+https://host/x --hash=sha256:{ZERO}\n", 4, "not an exact version"),
        (f"{TOOLZ}{TOOLZ}", 4, "is also on line 2"),
        (f"{TOOLZ}Torch==1.0 --hash=sha256:{ZERO}\n", 4, "torch is already in the base image"),
        ("", 1, "the list is empty"),
    ],
)
def test_a_list_that_says_more_or_less_than_exact_files_is_refused_at_its_line(
    tmp_path: Path, lock: str, line: int, words: str
) -> None:
    ((where, what),) = findings(template(tmp_path / "mine", lock))
    assert where == f"packages.txt:{line}"
    assert words in what


def test_a_package_that_no_image_has_is_unknown_unless_a_list_brings_it(tmp_path: Path) -> None:
    folder = template(tmp_path / "mine")
    assert findings(folder) == []
    manifest = folder / "template.yaml"
    manifest.write_text(manifest.read_text().replace("lock: packages.txt\n", ""))
    ((where, what),) = findings(folder)
    assert (where, "toolz is an unknown package" in what) == ("template.yaml: packages", True)
    (folder / "packages.txt").unlink()
    manifest.write_text(manifest.read_text() + "lock: packages.txt\n")
    assert findings(folder) == [("template.yaml: lock", "packages.txt is not in the folder")]


def test_the_base_images_list_reads_as_a_list_too() -> None:
    assert base_packages("sandbox-cpu")["torch"].endswith("+cpu")
    assert {"torch", "scikit-learn"} <= set(base_packages("sandbox-cuda"))
    assert [one.what for one in beside_base(read_lock(TOOLZ)[0])] == []
    assert normal_name("Foo._-bar") == "foo-bar"


# --- the image ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    engine = connect()
    before = {str(image.id) for image in engine.images.list(name="aisci-derived")}
    yield engine
    for image in engine.images.list(name="aisci-derived"):
        if str(image.id) not in before:
            engine.images.remove(str(image.id), force=True)
    engine.close()


def aisci(*words: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [str(ROOT / ".venv/bin/aisci"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=cwd)


@pytest.mark.engine
def test_what_can_be_imported_in_the_base_image_is_what_the_list_says() -> None:
    program = "import importlib.metadata as m; print(*m.packages_distributions())"
    command = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        "aisci-sandbox:cpu",
        "python",
        "-c",
        program,
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert {name for name in said if not name.startswith("_")} == importable()


@pytest.mark.engine
def test_a_templates_image_is_built_from_its_list_and_its_experiment_runs_in_it(
    tmp_path: Path, engine: Engine
) -> None:
    folder = template(tmp_path / "withtoolz")
    mine = load_template(f"{folder}/", shipped_root())
    missing = aisci("template", "check", "./withtoolz", "--run", "--policy", POLICY, cwd=tmp_path)
    assert missing.returncode == 1
    assert "aisci images build ./withtoolz" in missing.stderr
    first = aisci("images", "build", "./withtoolz", "--json", cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    again = aisci("images", "build", "./withtoolz", "--json", cwd=tmp_path)
    rows = [json.loads(said.stdout) for said in (first, again)]
    assert [row["skipped"] for row in rows] == [False, True]
    assert rows[0]["id"] == resolve_template_image(engine, mine, "aisci-sandbox:cpu", "cpu")
    listed = [
        json.loads(line)
        for line in aisci("images", "list", "--json", cwd=tmp_path).stdout.splitlines()
    ]
    assert ("aisci-derived:withtoolz-cpu", "ready") in {
        (row["name"], row["state"]) for row in listed
    }
    ran = aisci("template", "check", "./withtoolz", "--run", "--policy", POLICY, "-q", cwd=tmp_path)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tools = [
        "docker",
        "run",
        "--rm",
        "--network=none",
        rows[0]["id"],
        "sh",
        "-c",
        "! command -v pip && ! python -m pip",
    ]
    assert subprocess.run(tools, capture_output=True, check=False).returncode == 0
    (folder / "packages.txt").write_text(f"# another list, of the same\n\n{TOOLZ}")
    changed = load_template(f"{folder}/", shipped_root())
    with pytest.raises(ImageStale, match="another list"):
        resolve_template_image(engine, changed, "aisci-sandbox:cpu", "cpu")


@pytest.mark.engine
@pytest.mark.parametrize(
    ("lock", "imports", "words"),
    [
        (TOOLZ.replace("292c8f", "292c90"), "toolz", "Expected sha256 292c90"),
        (TOOLZ, "tools", "no package has the module 'tools'"),
    ],
)
def test_a_wrong_hash_or_a_module_that_never_comes_stops_the_build(
    tmp_path: Path, engine: Engine, lock: str, imports: str, words: str
) -> None:
    folder = template(tmp_path / "broken", lock)
    if imports != "toolz":
        for path in ("template.yaml", "experiment.py"):
            text = (folder / path).read_text().replace("import toolz", f"import {imports}")
            (folder / path).write_text(text.replace("matplotlib, toolz", f"matplotlib, {imports}"))
    said = aisci("images", "build", "./broken", cwd=tmp_path)
    assert said.returncode == 1, said.stdout
    assert words in said.stderr
    assert "broken" in said.stderr
    with pytest.raises(ImageMissing):
        resolve_template_image(
            engine, load_template(f"{folder}/", shipped_root()), "aisci-sandbox:cpu", "cpu"
        )


@pytest.mark.engine
def test_a_policy_with_an_image_of_its_own_is_not_added_to(tmp_path: Path, engine: Engine) -> None:
    mine = load_template(f"{template(tmp_path / 'mine')}/", shipped_root())
    with pytest.raises(BadTemplate, match="the policy names another image"):
        resolve_template_image(engine, mine, "debian:bookworm-slim", "cpu")
    assert Derived.of(load_template(f"{QUICK}/", shipped_root()), "cpu") is None
    quick = load_template(f"{QUICK}/", shipped_root())
    assert resolve_template_image(engine, quick, "aisci-sandbox:cpu", "cpu").startswith("sha256:")
