"""What is installed: a wheel that works outside a checkout, and locks that name no machine."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
import venv
import zipfile
from datetime import UTC, date, datetime, timedelta
from importlib import metadata, util
from pathlib import Path

import pytest

import orchestrator
from tests.support.places import ROOT

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
SHIPPED = ("templates", "policies", "sandbox", "docs")


def call(*command: str | Path, cwd: Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(cwd), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the files that git has or would have."""
    out = tmp_path_factory.mktemp("wheel")
    uv = Path(sys.executable).parent / "uv"
    call(
        *(uv, "build", "--quiet", "--wheel", "--offline", "--no-build-isolation"),
        *("--python", sys.executable, "--out-dir", out, ROOT),
        cwd=ROOT,
    )
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ``bin`` of a scratch environment: the wheel, and the locked packages of this one."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home / "venv", with_pip=False, symlinks=True)
    python = home / "venv/bin/python"
    call(
        *(Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--offline"),
        *("--no-deps", "--python", python, wheel),
        cwd=home,
    )
    libraries = next(p for p in sys.path if p.endswith("site-packages"))
    own = call(python, "-c", "import site; print(site.getsitepackages()[0])", cwd=home).strip()
    # The same files that this test runs with; `.pth` files of it (the checkout) are not read.
    (Path(own) / "locked.pth").write_text(f"{libraries}\n")
    return python.parent


@pytest.mark.program
def test_the_wheel_carries_every_shipped_file_and_nothing_that_was_built(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    tracked = call("git", "ls-files", *SHIPPED, "orchestrator", "cli.py", cwd=ROOT).splitlines()
    for name in tracked:
        packed = f"orchestrator/data/{name}" if name.startswith(SHIPPED) else name
        assert packed in names, name
    assert not [n for n in names if "__pycache__" in n or n.endswith(".whl")]
    assert not [
        n
        for n in names
        if n.split("/")[0] not in {"orchestrator", "cli.py"} and "dist-info" not in n
    ]


@pytest.mark.program
def test_an_installed_wheel_works_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert "Usage" in call(installed / "aisci", "--help", cwd=tmp_path)
    where = call(
        installed / "python",
        "-c",
        "import cli, orchestrator; from orchestrator.core.files import shipped_root;"
        "print(cli.__file__, orchestrator.__file__, shipped_root(), sep='\\n')",
        cwd=tmp_path,
    ).splitlines()
    assert all(str(installed.parent) in line for line in where)
    for folder in SHIPPED:
        assert any((Path(where[2]) / folder).iterdir())


@pytest.mark.program
def test_an_installed_wheel_puts_a_template_together_with_the_one_that_it_extends(
    installed: Path, tmp_path: Path
) -> None:
    said = call(installed / "aisci", "template", "check", "nanoGPT_lite", cwd=tmp_path)
    assert said.endswith("nanoGPT_lite: keeps its contract\n")


@pytest.mark.program
def test_an_installed_wheel_has_the_documents_and_the_study_of_the_demo(
    installed: Path, tmp_path: Path
) -> None:
    assert call(installed / "aisci", "docs", "policy", cwd=tmp_path).startswith("# Policies\n")
    shown = call(installed / "aisci", "demo", "--print", "--into", "d", cwd=tmp_path)
    (paper,) = tmp_path.glob("d/seir/*/*/let_the_start_float.pdf")
    assert f"paper:    {paper.relative_to(tmp_path)}" in shown


@pytest.mark.program
def test_an_installed_wheel_has_the_recipes_of_the_checkout(
    installed: Path, tmp_path: Path
) -> None:
    script = (
        "from orchestrator.sandbox.images.recipes import RECIPES, recipe_hash;"
        "from orchestrator.core.files import shipped_root;"
        "print([recipe_hash(r, shipped_root()) for r in RECIPES])"
    )
    assert call(installed / "python", "-c", script, cwd=tmp_path) == call(
        sys.executable, "-c", script, cwd=ROOT
    )


def test_the_lock_names_one_public_index_and_no_machine() -> None:
    text = (ROOT / "uv.lock").read_text()
    assert "file://" not in text
    assert not re.search(r'(path|directory|url) = "[/.]', text)
    for key in ("registry", "url"):  # a mirror set on somebody's machine would be a second one
        (place,) = set(re.findall(rf'{key} = "([a-z]+://[^/"]*)', text))
        assert re.fullmatch(r"https://[a-z.]+\.org", place)


@pytest.mark.program
def test_the_lock_is_the_lock_of_this_pyproject() -> None:
    uv = Path(sys.executable).parent / "uv"
    call(uv, "lock", "--check", "--offline", cwd=ROOT)


@pytest.mark.program
def test_the_wheels_own_list_installs_it_and_every_package_by_hash() -> None:
    """`make wheel` needs no network; what it writes is what docs/installing.md has people use."""
    call("bash", "scripts/wheel.sh", cwd=ROOT)
    lines = re.sub(r" *\\\n *", " ", (ROOT / "dist/install.txt").read_text()).splitlines()
    assert all(" --hash=sha256:" in line for line in lines)
    assert re.fullmatch(r"\./aisci_lab-[\w.-]+\.whl --hash=sha256:[0-9a-f]{64}", lines[-1])
    packages = {line.split("==")[0] for line in lines[:-1]}
    wanted = {re.split(r"[=<>]", one)[0] for one in PYPROJECT["project"]["dependencies"]}
    assert {name.replace(".", "-") for name in wanted} <= packages
    assert "aider-chat" not in packages


def test_the_tools_of_the_environment_are_the_locks() -> None:
    """Not those that Python's ensurepip brought, which are years old: pip fetches the wheels."""
    locked = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    assert metadata.version("pip") in {one["version"] for one in locked if one["name"] == "pip"}
    assert util.find_spec("setuptools") is None


def test_every_package_of_the_lock_has_hashes() -> None:
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        if package["name"] == PYPROJECT["project"]["name"]:
            continue
        files = [*package.get("wheels", []), *filter(None, [package.get("sdist")])]
        assert files, package["name"]
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.parametrize(
    ("lock", "extra"),
    [("sandbox-cpu", "torch"), ("sandbox-cuda", "torch"), ("latex", "latex")],
)
def test_an_images_lock_holds_to_the_versions_of_the_projects_lock(lock: str, extra: str) -> None:
    locked: dict[str, set[str]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text())["package"]:
        locked.setdefault(package["name"], set()).add(package.get("version", ""))
    lines = re.findall(
        r"^([a-z0-9._-]+)==(\S+)", (ROOT / f"sandbox/locks/{lock}.txt").read_text(), re.MULTILINE
    )
    assert lines
    for name, version in lines:
        assert version.removesuffix("+cpu") in locked[name], name
    wanted = PYPROJECT["project"]["optional-dependencies"][extra]
    assert {re.split(r"[<>=]", want)[0] for want in wanted} <= {name for name, _ in lines}


def test_the_editors_lock_stands_apart_with_every_package_by_hash() -> None:
    """Aider pins a litellm of its own, and calls no vendor with it."""
    text = (ROOT / "sandbox/locks/editor.txt").read_text()
    lines = re.sub(r" *\\\n *", " ", text).splitlines()
    packages = [line for line in lines if not line.lstrip().startswith("#")]
    assert all(" --hash=sha256:" in line for line in packages)
    assert {*PYPROJECT["tool"]["aisci"]["editor"], "litellm==1.81.10"} <= {
        line.split(" ")[0] for line in packages
    }
    assert "aider-chat" not in (ROOT / "uv.lock").read_text()


def test_the_locked_litellm_is_at_least_fourteen_days_old() -> None:
    """A release that steals is usually found out within days."""
    (package,) = (
        one
        for one in tomllib.loads((ROOT / "uv.lock").read_text())["package"]
        if one["name"] == "litellm"
    )
    uploaded = max(date.fromisoformat(one["upload-time"][:10]) for one in package["wheels"])
    assert datetime.now(UTC).date() - uploaded >= timedelta(days=14)


def test_no_package_of_this_environment_starts_with_the_interpreter() -> None:
    """Stealing releases of litellm ran by a ``.pth`` file, which Python executes at every start."""
    packages = Path(sysconfig.get_paths()["purelib"])
    assert (packages / "litellm").is_dir()
    hooks = {path.name for path in packages.glob("*.pth")}
    hooks |= {path.name for path in packages.glob("*customize.py")}
    assert hooks <= {"_aisci_lab.pth"}, "the editable install's own, and no other"


def test_torch_is_no_part_of_the_hosts_own_dependencies() -> None:
    names = [re.split(r"[<>=]", line)[0] for line in PYPROJECT["project"]["dependencies"]]
    assert "torch" not in names
    assert "aider-chat" not in names


def test_each_dependency_is_explained() -> None:
    explained = (ROOT / "docs/dependencies.md").read_text()
    project = PYPROJECT["project"]
    lines = [*project["dependencies"], *PYPROJECT["dependency-groups"]["dev"]]
    lines += PYPROJECT["tool"]["aisci"]["editor"]
    lines += [line for extra in project["optional-dependencies"].values() for line in extra]
    missing = [
        n for n in (re.split(r"[<>=]", line)[0] for line in lines) if f"`{n}`" not in explained
    ]
    assert not missing


def test_the_version_is_said_once() -> None:
    version = PYPROJECT["project"]["version"]
    assert orchestrator.__version__ == version
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text()


@pytest.mark.program
def test_shell_scripts_stop_at_the_first_error() -> None:
    scripts = [*(ROOT / "scripts").glob("*.sh"), ROOT / ".ci/run"]
    for script in scripts:
        assert "set -euo pipefail" in script.read_text(), script
        assert script.stat().st_mode & 0o111, script
        call("bash", "-n", script, cwd=ROOT)


@pytest.mark.program
def test_a_named_engine_that_is_silent_is_not_replaced_by_another() -> None:
    with pytest.raises(AssertionError, match="No Docker engine answers") as raised:
        call(ROOT / "scripts/setup-engine.sh", cwd=ROOT, DOCKER_HOST="unix:///nowhere/docker.sock")
    assert "installing" not in str(raised.value)


@pytest.mark.program
def test_clean_refuses_a_tree_that_has_a_mount_in_it(tmp_path: Path) -> None:
    """Shown on a mount that is always there, with the removal itself replaced by words."""
    script = (ROOT / "scripts/clean.sh").read_text()
    copy = tmp_path / "scripts" / "clean.sh"
    copy.parent.mkdir()
    for folder in ("orchestrator", "sandbox", "templates", "tests", "build"):
        (tmp_path / folder).mkdir()
    copy.write_text(script)
    call("bash", copy, cwd=tmp_path)
    assert not (tmp_path / "build").exists()
    harmless = script.replace("rm -rf", "echo would remove").replace("$here/$1", "/proc")
    copy.write_text(harmless)
    with pytest.raises(AssertionError, match="/proc has something mounted in it"):
        call("bash", copy, cwd=tmp_path)
