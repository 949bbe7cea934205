"""A template that extends a shipped one is read whole, and a bad `extends` is refused where it stands."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from orchestrator.console.template_new import new_template
from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.template.folder import MANIFEST, PAPER, base_of, shipped_templates
from orchestrator.template.template import from_files, load_template
from tests.support.places import DATA
from tests.support.template_rig import contract_findings

QUICK = DATA / "quick"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A shipped root with two templates: ``quick``, and ``slow``, which extends it."""
    shutil.copytree(QUICK, tmp_path / "templates/quick", ignore=shutil.ignore_patterns("run_*"))
    extending(tmp_path / "templates/slow", "extends: quick")
    return tmp_path


def extending(folder: Path, line: str) -> None:
    """A folder with a manifest and a ``prompt.json`` of its own, and nothing else."""
    folder.mkdir()
    own = (QUICK / MANIFEST).read_text().replace("name: quick", f"{line}\nname: {folder.name}")
    (folder / MANIFEST).write_text(own)
    (folder / "prompt.json").write_text('{"system": "slow", "task_description": "slow"}')


def test_a_template_has_the_files_of_its_base_and_its_own_in_their_place(root: Path) -> None:
    base, one = load_template("quick", root), load_template("slow", root)
    assert list(one.files) == list(base.files)
    changed = [path for path in one.files if one.files[path] != base.files[path]]
    assert changed == ["prompt.json", MANIFEST]
    assert (one.name, one.origin, one.task().system) == ("slow", "templates/slow", "slow")
    assert contract_findings(one) == ()


def test_a_file_that_the_base_does_not_have_is_added(root: Path) -> None:
    (root / "templates/slow/more.csv").write_text("1,2")
    assert set(load_template("slow", root).files) - set(load_template("quick", root).files) == {
        "more.csv"
    }


def test_the_files_of_a_loaded_template_need_no_base_any_more(root: Path) -> None:
    one = load_template("slow", root)
    again = from_files(one.files, one.name, one.origin)
    assert (again.hash, again.manifest) == (one.hash, one.manifest)
    assert "extends:" not in one.text(MANIFEST)


def test_a_changed_file_of_the_base_changes_the_hash_of_a_template_that_extends_it(
    root: Path,
) -> None:
    before = load_template("slow", root).hash
    (root / "templates/quick/plot.py").write_text("labels = {}\n")
    assert load_template("slow", root).hash != before


def test_a_folder_of_ones_own_may_extend_a_shipped_template(root: Path, tmp_path: Path) -> None:
    extending(tmp_path / "mine", 'extends: "quick"  # and two files')
    mine = load_template(f"{tmp_path}/mine/", root)
    assert mine.files["experiment.py"] == load_template("quick", root).files["experiment.py"]
    by_path, by_name = load_template(f"{root}/templates/slow/", root), load_template("slow", root)
    assert by_path.hash == by_name.hash


def test_a_copy_of_an_extending_template_holds_every_file_and_extends_nothing(
    tmp_path: Path,
) -> None:
    lite = load_template("nanoGPT_lite", shipped_root())
    new_template(tmp_path / "copy", "nanoGPT_lite")
    copied = {p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*")}
    assert copied - {"latex"} == set(lite.files)
    assert "extends:" not in (tmp_path / "copy" / MANIFEST).read_text()
    copy = load_template(f"{tmp_path}/copy/", tmp_path)
    assert base_of(copy.files) == ""
    words = ("prompt.json", "seed_ideas.json", "library.json", MANIFEST, PAPER)
    assert {one.where for one in contract_findings(copy)} == set(words)


def test_a_paper_that_loads_our_style_has_it_beside_it_unless_it_has_its_own(
    root: Path, tmp_path: Path
) -> None:
    style = (shipped_root() / "templates/aisci.sty").read_bytes()
    shutil.copy(shipped_root() / "templates/aisci.sty", root / "templates")
    mine = tmp_path / "mine"
    shutil.copytree(QUICK, mine, ignore=shutil.ignore_patterns("run_*"))
    assert "latex/aisci.sty" not in load_template(f"{mine}/", root).files
    paper = mine / "latex/template.tex"
    paper.write_text(paper.read_text().replace(r"\title", "\\usepackage{aisci}  % it\n\\title", 1))
    assert load_template(f"{mine}/", root).files["latex/aisci.sty"] == style
    (mine / "latex/aisci.sty").write_text("mine")
    assert load_template(f"{mine}/", root).files["latex/aisci.sty"] == b"mine"


def test_an_error_in_an_extending_manifest_is_shown_at_its_line_in_the_file(root: Path) -> None:
    path = root / "templates/slow" / MANIFEST
    path.write_text(path.read_text().replace("gpu: none", "gpu: maybe"))
    line = path.read_text().splitlines().index("gpu: maybe") + 1
    with pytest.raises(BadTemplate) as caught:
        load_template("slow", root)
    assert caught.value.where == f"templates/slow/{MANIFEST}:{line}:1: gpu"


@pytest.mark.parametrize(
    ("line", "what", "todo"),
    [
        ("extends: quik", "names the template 'quik', which does not exist", "did you mean 'quick'"),
        ("extends: ..", "names the template '..', which does not exist", "known: quick, slow"),
        ("extends: ./quick", "is not the name of a template", "a bare name; known: quick, slow"),
        ("extends: ../mine/quick", "is not the name of a template", "a bare name"),
        ("extends: /etc", "is not the name of a template", "a bare name"),
        ("extends: 3", "is not the name of a template", "a bare name"),
        ("extends: [quick]", "is not the name of a template", "a bare name"),
        ("extends:", "is not the name of a template", "a bare name"),
        ("extends: slow", "'slow' has an `extends` of its own", "a template without `extends`"),
        ("extends:\n  quick", "is not on a line of its own", "write `extends: quick` on one"),
        ('"extends": quick', "is not on a line of its own", "write `extends: quick` on one"),
    ],
)  # fmt: skip
def test_a_bad_extends_is_refused_where_it_stands_with_why_and_what_to_do(
    root: Path, tmp_path: Path, line: str, what: str, todo: str
) -> None:
    extending(tmp_path / "mine", line)
    with pytest.raises(BadTemplate) as caught:
        load_template(f"{tmp_path}/mine/", root)
    error = caught.value
    number = (tmp_path / "mine" / MANIFEST).read_text().split("name: mine")[0].count("\n")
    number -= line.count("\n")
    assert error.where == f"{tmp_path}/mine/{MANIFEST}:{number}:1: extends"
    assert what in error.what
    assert todo in error.todo
    assert error.why


def test_a_shipped_template_cannot_extend_itself(root: Path) -> None:
    path = root / "templates/slow" / MANIFEST
    path.write_text(path.read_text().replace("extends: quick", "extends: slow"))
    with pytest.raises(BadTemplate, match="'slow' has an `extends` of its own"):
        load_template("slow", root)


def test_no_shipped_template_needs_more_than_its_base() -> None:
    for name in shipped_templates(shipped_root()):
        assert contract_findings(load_template(name, shipped_root())) == ()


def test_code_that_imports_common_gets_the_shipped_one_beside_it_and_its_own_stays(
    root: Path,
) -> None:
    shared = b"# what templates share\n"
    (root / "templates/common.py").write_bytes(shared)
    assert "common.py" not in load_template("quick", root).files
    code = root / "templates/slow/more.py"
    code.write_text("from common import summarise\n")
    assert load_template("slow", root).files["common.py"] == shared
    (root / "templates/slow/common.py").write_text("mine = 1\n")
    assert load_template("slow", root).files["common.py"] == b"mine = 1\n"


def test_every_shipped_template_that_shares_code_has_the_same_copy_of_it(tmp_path: Path) -> None:
    shared = (shipped_root() / "templates/common.py").read_bytes()
    copies = {}
    for name in shipped_templates(shipped_root()):
        new_template(tmp_path / name, source=name)
        if (tmp_path / name / "common.py").exists():
            copies[name] = (tmp_path / name / "common.py").read_bytes()
    assert len(copies) == len(shipped_templates(shipped_root())), "all of them draw with it"
    assert set(copies.values()) == {shared}
