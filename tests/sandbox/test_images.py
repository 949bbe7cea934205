"""What the images promise, asked of the real engine and of the real images."""

from __future__ import annotations

import io
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from orchestrator.core.errors import (
    EngineFailed,
    EngineUnavailable,
    ImageBuildFailed,
    ImageMissing,
    ImageStale,
    UnknownName,
)
from orchestrator.core.files import shipped_root
from orchestrator.policy import compare as policy_compare
from orchestrator.sandbox.engine.client import Engine, connect, one_line, translated
from orchestrator.sandbox.gpus.cdi import tool_output
from orchestrator.sandbox.images import base, images, wheels
from orchestrator.sandbox.images.age import made_at, require_recent, seconds_since
from orchestrator.sandbox.images.base import find_base
from orchestrator.sandbox.images.build import build_image
from orchestrator.sandbox.images.recipes import RECIPES, Recipe, recipe_hash, write_context
from orchestrator.sandbox.images.wheels import fetch_wheels

BY_NAME = {recipe.name: recipe for recipe in RECIPES}
UNTRUSTED = ("aisci-sandbox:cpu", "aisci-latex", "aisci-editor")


def silent(line: str) -> None:
    """For builds whose words are not looked at."""


@pytest.fixture
def engine() -> Iterator[Engine]:
    connected = connect(timeout=300)  # removing layers waits for other work on the same disk
    yield connected
    connected.close()


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A root with the shipped recipes in it, free to be changed."""
    shutil.copytree(
        shipped_root() / "sandbox",
        tmp_path / "sandbox",
        ignore=shutil.ignore_patterns("wheels", "__pycache__"),
    )
    return tmp_path


@pytest.fixture
def toy(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Recipe, Path]]:
    """A recipe of one layer, under a name that nobody else uses; its image is removed."""
    recipe = Recipe(
        name=f"aisci-test-{uuid.uuid4().hex[:12]}:latest",
        about="a toy",
        dockerfile="sandbox/Dockerfile.toy",
        folders=("sandbox/toy",),
        args=(("FLAVOUR", "plain"),),
    )
    folder = tmp_path / "sandbox" / "toy"
    folder.mkdir(parents=True)
    (folder / "word").write_text("one")
    (tmp_path / recipe.dockerfile).write_text(
        "ARG BASE\nFROM ${BASE}\nARG FLAVOUR\nCOPY sandbox/toy/ /toy/\nRUN echo ${FLAVOUR} >/flavour\n"
    )
    monkeypatch.setattr(images, "RECIPES", (recipe,))
    yield recipe, tmp_path
    while images.find_image(engine, recipe.name) is not None:
        engine.images.remove(recipe.name, force=True)


def run(engine: Engine, image: str, script: str, *, user: str = "65534:65534") -> str:
    """Run a shell script in ``image`` as experiments are run: hardened, /tmp the only place."""
    container = engine.containers.create(
        images.resolve_image(engine, image),
        ["sh", "-euc", f"exec 2>&1; {script}"],
        network_mode="none",
        read_only=True,
        user=user,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges"],
        tmpfs={"/tmp": "rw,exec,nosuid,nodev,size=512m,mode=1777"},
        mem_limit="3g",
        init=True,
    )
    try:
        container.start()
        status = container.wait(timeout=300)["StatusCode"]
        output = container.logs().decode()
    finally:
        container.remove(force=True)
    assert status == 0, output
    return output


# ── recipes and their hash ──────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda r: r.name)
def test_every_file_of_a_recipe_is_part_of_its_hash(recipe: Recipe, copy: Path) -> None:
    before = recipe_hash(recipe, copy)
    files = [recipe.dockerfile, *([recipe.lock_file] if recipe.lock else [])]
    files += [f"{folder}/new.py" for folder in recipe.folders]
    for name in files:
        path = copy / name
        old = path.read_bytes() if path.exists() else None
        path.write_bytes((old or b"") + b"\n# changed\n")
        assert recipe_hash(recipe, copy) != before, name
        path.write_bytes(old) if old is not None else path.unlink()
        assert recipe_hash(recipe, copy) == before


def test_flavours_of_one_dockerfile_have_different_hashes() -> None:
    hashes = {recipe_hash(recipe, shipped_root()) for recipe in RECIPES}
    assert len(hashes) == len(RECIPES)


def test_compiled_python_changes_neither_hash_nor_context(copy: Path) -> None:
    recipe = BY_NAME["aisci-editor:latest"]
    before = recipe_hash(recipe, copy)
    cache = copy / "sandbox/editor/__pycache__"
    cache.mkdir()
    (cache / "worker.cpython-311.pyc").write_bytes(b"x")
    out = io.BytesIO()
    write_context(out, recipe, copy, wheels=None)
    assert recipe_hash(recipe, copy) == before
    assert b"__pycache__" not in out.getvalue()


def test_a_context_is_the_same_bytes_whatever_the_files_times_and_modes(copy: Path) -> None:
    def context() -> bytes:
        out = io.BytesIO()
        write_context(out, BY_NAME["aisci-latex:latest"], copy, wheels=None)
        return out.getvalue()

    before = context()
    for path in copy.rglob("*"):
        path.touch()
        if path.is_file():
            path.chmod(0o600)
    assert context() == before


@pytest.mark.parametrize("lock", sorted((shipped_root() / "sandbox/locks").glob("*.txt")), ids=str)
def test_a_lock_names_every_file_by_hash_and_no_place(lock: Path) -> None:
    text = lock.read_text()
    requirements = [line for line in text.splitlines() if line and line[0] not in " #-"]
    assert requirements
    assert all("==" in line and line.endswith("\\") for line in requirements)
    assert text.count("--hash=sha256:") >= len(requirements)
    assert "://" not in text
    assert "--find-links" not in text
    assert "index-url" not in text


# ── fetching ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.program
def test_a_cpu_wheel_that_is_nowhere_says_which_setting_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    lock = tmp_path / "sandbox-cpu.txt"
    lock.write_text(f"torch==2.13.0+cpu --hash=sha256:{'0' * 64}\n")
    with pytest.raises(ImageBuildFailed, match="PIP_EXTRA_INDEX_URL") as raised:
        fetch_wheels(lock, tmp_path / "home", ca_bundle=None, say=silent)
    assert "torch==2.13.0+cpu" in raised.value.why


def test_pip_trusts_the_given_ca_bundle_then_its_own_then_the_systems(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/the/system.pem")
    monkeypatch.delenv("PIP_CERT", raising=False)
    assert wheels._trust(None)["PIP_CERT"] == "/the/system.pem"
    monkeypatch.setenv("PIP_CERT", "/the/own.pem")
    assert wheels._trust(None)["PIP_CERT"] == "/the/own.pem"
    assert wheels._trust(Path("/given.pem"))["PIP_CERT"] == "/given.pem"


@pytest.mark.program
def test_the_hosts_tools_run_without_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is a stand-in that keeps its variables; an address keeps its password, or no mirror would do."""
    for tool in ("mmdebstrap", "nvidia-ctk"):
        command = tmp_path / tool
        command.write_text(f"#!/bin/sh\nenv >{tmp_path}/{tool}.env\nexit 1\n")
        command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-for-a-test")
    monkeypatch.setenv("http_proxy", "http://user:word@proxy.example.org")
    with pytest.raises(ImageBuildFailed, match="mmdebstrap could not"):
        base._bootstrap(cast("Engine", None))
    tool_output("nvidia-ctk", "cdi", "list")
    for variables in (
        (tmp_path / "mmdebstrap.env").read_text(),
        (tmp_path / "nvidia-ctk.env").read_text(),
        "\n".join(f"{key}={value}" for key, value in wheels._trust(None).items()),
    ):
        assert "for-a-test" not in variables
        assert "http_proxy=http://user:word@" in variables


@pytest.mark.program
def test_wheels_half_fetched_are_not_taken_for_complete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "none.txt"
    lock.write_text("")
    folder = fetch_wheels(lock, tmp_path / "home", ca_bundle=None, say=silent)
    (folder / "left.whl").write_bytes(b"")
    lock.write_text(f"nothing==1 --hash=sha256:{'0' * 64}\n")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    for _ in range(2):
        with pytest.raises(ImageBuildFailed):
            fetch_wheels(lock, tmp_path / "home", ca_bundle=None, say=silent)
    assert not (folder / "left.whl").exists()


# ── the engine ──────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "host", ["unix:///nowhere/docker.sock", "tcp://127.0.0.1:1", "nonsense://"]
)
def test_no_engine_is_one_error_that_names_the_ways(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(EngineUnavailable) as raised:
        connect(timeout=2)
    assert raised.value.where == host
    assert "rootless" in raised.value.todo
    assert "Podman" in raised.value.todo
    assert len(str(raised.value).splitlines()) < 20


@pytest.mark.engine
def test_what_the_engine_refuses_is_an_aisci_error_in_its_own_words(engine: Engine) -> None:
    with pytest.raises(EngineFailed, match="while asking for the moon") as raised:  # noqa: SIM117 - the inner one is under test
        with translated("asking for the moon"):
            engine.containers.get("no-such-container")
    assert "no-such-container" in raised.value.why


def test_an_engines_words_are_shown_without_control_characters() -> None:
    assert one_line("a\x1b[31mb\r\n c\x07") == "a[31mb c"
    assert len(one_line("x" * 1000)) == 401


# ── build, skip, refuse ─────────────────────────────────────────────────────────────────────


@pytest.mark.engine
def test_an_image_is_built_once_labelled_and_skipped_until_its_recipe_changes(
    engine: Engine, toy: tuple[Recipe, Path]
) -> None:
    recipe, root = toy
    with pytest.raises(ImageMissing, match="aisci images build aisci-test"):
        images.resolve_image(engine, recipe.name, root=root)

    first = images.build_images(engine, [recipe.name], root=root, say=silent)[0]
    assert not first.skipped
    labels = engine.images.get(first.id).labels
    assert labels["aisci.recipe"] == recipe_hash(recipe, root)
    assert labels["aisci.image"] == recipe.name
    assert labels["aisci.base"] == find_base(engine, None, silent)

    again = images.build_images(engine, [recipe.name], root=root, say=silent)[0]
    assert again.skipped
    assert again.id == first.id == images.resolve_image(engine, recipe.name, root=root)
    assert [state.state for state in images.list_images(engine, root=root)] == ["ready"]

    (root / "sandbox/toy/word").write_text("two")
    assert [state.state for state in images.list_images(engine, root=root)] == ["stale"]
    with pytest.raises(ImageStale, match="aisci images build aisci-test"):
        images.resolve_image(engine, recipe.name, root=root)
    mended = images.build_images(engine, [recipe.name], root=root, say=silent)[0]
    assert not mended.skipped
    assert images.resolve_image(engine, recipe.name, root=root) == mended.id != first.id
    engine.images.remove(first.id, force=True)


@pytest.mark.engine
def test_another_base_is_a_reason_to_build_again(engine: Engine, toy: tuple[Recipe, Path]) -> None:
    recipe, root = toy
    images.build_images(engine, [recipe.name], root=root, say=silent)
    other = images.resolve_image(engine, recipe.name, root=root)
    rebuilt = images.build_images(engine, [recipe.name], root=root, base=other, say=silent)[0]
    assert not rebuilt.skipped
    assert engine.images.get(rebuilt.id).labels["aisci.base"] == other


@pytest.mark.engine
def test_an_image_is_as_old_as_its_oldest_own_layer_and_a_fresh_build_makes_it_new(
    engine: Engine, toy: tuple[Recipe, Path]
) -> None:
    recipe, root = toy
    (root / recipe.dockerfile).write_text(  # its first step in no earlier build
        f"ARG BASE\nFROM ${{BASE}}\nRUN echo {recipe.name} >/word\nCOPY sandbox/toy/word /word\n"
    )
    images.build_images(engine, [recipe.name], root=root, say=silent)
    before = engine.images.get(recipe.name)
    first = made_at(before)
    time.sleep(1.1)  # the engine tells whole seconds of a layer
    (root / "sandbox/toy/word").write_text("two")
    images.build_images(engine, [recipe.name], root=root, say=silent)
    reused = engine.images.get(recipe.name)
    assert reused.attrs["Created"][:19] > first[:19] == made_at(reused)[:19]
    require_recent(engine, recipe.name, 3600, "latex.image_age")
    with pytest.raises(ImageStale, match="days old, and the policy allows 1s") as raised:
        require_recent(engine, recipe.name, 1, "latex.image_age")
    assert "latex.image_age" in raised.value.where
    assert raised.value.todo == f"aisci images build --fresh {recipe.name}"

    found = partial(find_base, engine, None, silent)
    made = build_image(
        engine, recipe, root=root, base=found, ca_bundle=None, say=silent, fresh=True
    )
    assert made_at(made) > first
    for one in (reused, before):
        engine.images.remove(str(one.id), force=True)


@pytest.mark.engine
def test_an_image_of_somebody_else_is_as_old_as_the_engine_says(engine: Engine) -> None:
    """No word of ours on how to build it; and one without a time is older than any bound."""
    image = engine.images.get(find_base(engine, None, silent))
    assert made_at(image) == image.attrs["Created"]
    with pytest.raises(ImageStale) as raised:
        require_recent(engine, str(image.id), 1, "experiment.image_age")
    assert raised.value.todo == f"build or pull {image.id} again"
    assert seconds_since("", datetime.now(UTC)) is None


@pytest.mark.engine
def test_a_build_that_fails_ends_with_its_step_and_its_last_words(
    engine: Engine, toy: tuple[Recipe, Path]
) -> None:
    recipe, root = toy
    (root / recipe.dockerfile).write_text(
        "ARG BASE\nFROM ${BASE}\nRUN echo the-last-word && exit 3\n"
    )
    with pytest.raises(ImageBuildFailed) as raised:
        images.build_images(engine, [recipe.name], root=root, say=silent)
    assert "the-last-word" in raised.value.why
    assert "RUN echo" in raised.value.where
    assert images.find_image(engine, recipe.name) is None


@pytest.mark.engine
def test_an_unknown_image_is_refused_by_name(engine: Engine) -> None:
    with pytest.raises(UnknownName, match="aisci-latexx"):
        images.build_images(engine, ["aisci-latexx"], say=silent)
    with pytest.raises(ImageMissing, match="aisci-sandbox:cpu"):
        images.resolve_image(engine, "aisci-sandbx")


@pytest.mark.engine
def test_a_base_that_is_nowhere_is_named(engine: Engine) -> None:
    with pytest.raises(ImageBuildFailed, match="no-such-base"):
        images.build_images(
            engine, ["aisci-storage"], base="127.0.0.1:1/no-such-base:1", say=silent
        )


# ── what is in the images ───────────────────────────────────────────────────────────────────


@pytest.mark.engine
@pytest.mark.parametrize("image", UNTRUSTED)
def test_an_image_for_untrusted_code_has_no_network_tool_no_pip_and_no_setuid_program(
    engine: Engine, image: str
) -> None:
    found = run(
        engine,
        image,
        "for tool in curl wget nc ncat netcat socat ssh scp telnet ftp rsync openssl git pip pip3 uv; do"
        "  command -v $tool || true; done;"
        "python -c 'import pip; print(pip)' 2>/dev/null || true;"
        "find / -xdev -type f -perm /6000",
        user="0:0",  # to see every folder
    )
    assert found == ""


@pytest.mark.engine
@pytest.mark.parametrize("image", UNTRUSTED)
def test_an_image_for_untrusted_code_runs_as_nobody_by_itself(engine: Engine, image: str) -> None:
    config = engine.images.get(images.resolve_image(engine, image)).attrs["Config"]
    assert config["User"] == "65534:65534"
    assert not any(line.startswith("LD_") for line in config["Env"])
    said = run(engine, image, "id -u; pwd; touch $HOME/x; touch /x 2>/dev/null || echo refused")
    assert said.split() == ["65534", "/workspace", "refused"]


@pytest.mark.engine
def test_experiments_find_their_libraries_on_a_read_only_root(
    engine: Engine,
) -> None:
    said = run(
        engine,
        "aisci-sandbox:cpu",
        """cat >/tmp/x.py <<'PY'
import einops, matplotlib, numpy, scipy, sklearn, torch, tqdm
import matplotlib.pyplot as plt
plt.plot([1, 2]); plt.savefig("/tmp/x.png")
print("cuda" if torch.cuda.is_available() else "cpu", torch.__version__)
PY
python -W ignore /tmp/x.py""",
    )
    assert said.split() == ["cpu", "2.13.0+cpu"]


@pytest.mark.engine
def test_a_paper_is_typeset_checked_and_read_in_the_latex_image_alone(engine: Engine) -> None:
    said = run(
        engine,
        "aisci-latex",
        r"""cd /tmp
cat >p.tex <<'TEX'
\documentclass{article}\usepackage[T1]{fontenc}\usepackage{lmodern,amsmath,booktabs,graphicx,natbib,hyperref,algorithm2e,siunitx}
\begin{document}Grokking \citep{a}.\bibliographystyle{plainnat}\bibliography{r}\end{document}
TEX
printf '@article{a, title={T}, author={Author, A.}, journal={J}, year={2020}}' >r.bib
latexmk -pdf -interaction=nonstopmode -halt-on-error p.tex >log 2>&1 || { tail -40 log; exit 1; }
chktex -q p.tex >chk || true
grep -q 'mktexpk' log && echo BITMAP
python -c 'import pymupdf; print(pymupdf.open("p.pdf")[0].get_text())'
command -v pdffonts bibtex""",
    )
    assert "Grokking" in said
    assert "Author" in said
    assert "??" not in said
    assert "BITMAP" not in said


@pytest.mark.engine
def test_tex_opens_nothing_outside_its_folder(engine: Engine) -> None:
    said = run(
        engine,
        "aisci-latex",
        r"""mkdir /tmp/w && cd /tmp/w
printf '\\documentclass{article}\\begin{document}x\\input{/etc/passwd}\\end{document}' >r.tex
printf '\\documentclass{article}\\begin{document}x\\newwrite\\f\\immediate\\openout\\f=../out\\end{document}' >w.tex
printf '\\documentclass{article}\\begin{document}x\\immediate\\write18{touch /tmp/w/ran}\\end{document}' >s.tex
for f in r w s; do pdflatex -interaction=nonstopmode $f.tex >$f.out 2>&1 || true; done
grep -q 'openin_any = p' r.out && echo read refused
grep -q 'openout_any = p' w.out && echo write refused
[ ! -e ran ] && [ ! -e ../out ] && [ ! -e ../out.tex ] && echo nothing there""",
    )
    assert said.splitlines() == ["read refused", "write refused", "nothing there"]


@pytest.mark.engine
def test_the_editor_image_holds_aider_and_the_worker_and_needs_no_network_to_load(
    engine: Engine,
) -> None:
    said = run(
        engine,
        "aisci-editor",
        "ls /opt/aisci/editor; python -W ignore -c 'import aider, aider.coders; print(aider.__version__)'",
    )
    assert "worker.py" in said
    assert said.split()[-1] == "0.86.2"


@pytest.mark.engine
def test_the_storage_image_has_what_quotas_take(engine: Engine) -> None:
    said = run(
        engine,
        "aisci-storage",
        "command -v mkfs.ext4; command -v losetup; command -v mount; command -v fallocate; python3 -c 'import json, tarfile'; ls /opt/aisci/storage",
        user="0:0",
    )
    assert "keeper.py" in said


def test_policies_tell_our_images_from_foreign_ones_by_the_names_of_the_recipes() -> None:
    full = {recipe.name for recipe in RECIPES}
    short = {name.removesuffix(":latest") for name in full}
    assert full | short | {"aisci-sandbox"} == policy_compare._OURS
