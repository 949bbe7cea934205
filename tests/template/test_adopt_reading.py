"""What is read from the code of a folder without a manifest, and what a container may lack of it."""

from __future__ import annotations

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.sandbox.job import spec
from orchestrator.template import sightings as reading
from orchestrator.template.candidates import candidates
from orchestrator.template.contract import code, rule_results
from orchestrator.template.contract.needs import needs
from orchestrator.template.folder import shipped_templates
from orchestrator.template.imports import absent_imports, outside_imports
from orchestrator.template.sightings import sightings
from orchestrator.template.template import Template, from_files, load_template
from tests.support.places import DATA

PLAIN = load_template(f"{DATA}/plain_template/", shipped_root())


def folder(experiment: str, **more: str) -> Template:
    """A folder without a manifest whose experiment is this."""
    files = {**PLAIN.files, "experiment.py": experiment.encode()}
    files |= {f"{name}.py": text.encode() for name, text in more.items()}
    return from_files(files, "theirs", "./theirs")


def seen(experiment: str, kind: str) -> list[str]:
    return [one.text for one in sightings(folder(experiment)) if one.kind == kind]


# --- imports ------------------------------------------------------------------------------


def test_a_module_that_the_image_lacks_is_found_through_the_folders_own_files() -> None:
    theirs = folder(
        "from parts import go\nimport numpy, json", parts="import pandas.io", idle="import ase"
    )
    absent = absent_imports(theirs)
    assert [(one.module, one.where, one.required) for one in absent] == [
        ("ase", "idle.py:1", False),
        ("pandas", "parts.py:1", True),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import wandb\nexcept ImportError:\n    wandb = None",
        "if log:\n    import wandb",
        "def log():\n    import wandb",
        "try:\n    import json\nexcept ImportError:\n    import wandb",
    ],
)
def test_an_import_that_a_run_may_not_reach_is_not_required(text: str) -> None:
    (found,) = [one for one in outside_imports(folder(text)) if one.module == "wandb"]
    assert not found.required


@pytest.mark.parametrize(
    "text",
    ["import wandb", "if __name__ == '__main__':\n    import wandb", "try:\n    import wandb\nfinally:\n    pass"],
)  # fmt: skip
def test_an_import_that_every_run_does_is_required(text: str) -> None:
    (found,) = [one for one in outside_imports(folder(text)) if one.module == "wandb"]
    assert found.required


def test_a_folder_without_manifest_is_told_the_two_lines_that_add_what_the_image_lacks() -> None:
    (finding,) = code.packages(folder("import numpy\nimport pandas\nfrom npeet import mi\n"))
    assert finding.what == "the image lacks npeet, pandas"
    assert finding.where == "experiment.py:3, experiment.py:2"
    assert "`packages: [matplotlib, npeet, numpy, pandas]`" in finding.todo
    assert "`lock: packages.txt`" in finding.todo
    assert "aisci template adopt ./theirs" in finding.todo
    assert list(code.packages(folder("import numpy, torch\n"))) == []


def test_an_image_that_is_not_ours_may_have_what_ours_lacks() -> None:
    rules = {rule.name: rule for rule in rule_results(folder("import pandas"), own_image=True)}
    assert rules["packages"].why_not == "the policy's image is not aisci's"
    assert rules["packages"].held


def test_packages_that_name_a_module_of_the_folder_are_told_so() -> None:
    quick = load_template(f"{DATA}/quick/", shipped_root())
    manifest = quick.text("template.yaml").replace("[matplotlib]", "[matplotlib, helpers]")
    files = {**quick.files, "template.yaml": manifest.encode(), "helpers.py": b""}
    (finding,) = code.packages(from_files(files, "quick", "./quick"))
    assert finding.what == "helpers is part of the template itself, not a package"
    assert "remove helpers" in finding.todo


# --- what the code expects around it ------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('device = "cuda"', "device = 'cuda'"),
        ('x = torch.device("cuda:0")', "torch.device('cuda:0')"),
        ("model = Net().cuda()", "Net().cuda()"),
        ('x = t.to(device="cuda")', "device='cuda'"),
        ('assert device == "cuda", "no GPU"', "assert device == 'cuda', 'no GPU'"),
        ("torch.cuda.synchronize()", "torch.cuda.synchronize()"),
        ("if not torch.cuda.is_available():\n    raise OSError", "not torch.cuda.is_available()"),
        ('def go(device="cuda"): pass', "device='cuda'"),
    ],
)
def test_hard_wired_cuda_is_seen(text: str, shown: str) -> None:
    assert seen(text, "cuda") == [shown]


@pytest.mark.parametrize(
    "text",
    [
        'device = "cuda" if torch.cuda.is_available() else "cpu"',
        "if torch.cuda.is_available():\n    model = model.cuda()",
        'kind = "cuda" in device',
        'if device.startswith("cuda"):\n    torch.cuda.synchronize()',
        'parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu", help="cuda")',
        '"""It runs on\n"""\n# device = "cuda"',
    ],
)
def test_cuda_that_is_chosen_where_it_is_there_is_not_named(text: str) -> None:
    assert seen(text, "cuda") == []


@pytest.mark.parametrize(
    ("text", "path", "data_set"),
    [
        ('data_dir = os.path.join("../../../data", "enwik8")', "../../../data/enwik8", "enwik8"),
        ('data_dir = os.path.join("../../../data", name)', "../../../data", ""),
        ('open("/data/text8/all.txt")', "/data/text8/all.txt", "text8"),
        ('x = "/home/me/sets/train"', "/home/me/sets/train", None),
        ('np.load("celled.npy")', "celled.npy", None),
        ('folder = "data/celled_200x250"', "data/celled_200x250", None),
        ('with open(f"../sets/{name}.txt") as f: pass', "../sets/", None),
    ],
)
def test_a_path_to_what_the_folder_lacks_is_seen(
    text: str, path: str, data_set: str | None
) -> None:
    (found,) = [one for one in sightings(folder(text)) if one.kind == "path"]
    assert (found.text, found.data_set) == (path, data_set)


@pytest.mark.parametrize(
    "text",
    [
        'open(os.path.join(args.out_dir, "final_info.json"), "w")',
        'open("results.json", "w")',
        'open(out_dir + "/final_info.json")',
        'open("prompt.json")',
        'open("run_0/final_info.json")',
        'tmp = "/tmp/cache/x"',
        'print("and/or", "n/a")',
        'url = "https://example.org/data/x.csv"',
    ],
)
def test_what_is_written_or_is_in_the_folder_is_no_missing_data(text: str) -> None:
    assert seen(text, "path") == []


def test_the_containers_folders_are_those_of_the_sandbox() -> None:
    assert (reading._WORKDIR, reading._STAGED) == (spec.WORKDIR, spec.DATA_FOLDERS)


def test_what_a_container_may_lack_is_a_note_and_no_breach() -> None:
    theirs = folder(
        'open("../../../data/text8/a.txt")\nx.cuda()\nCIFAR10(".", download=True)\n'
        "def log():\n    import wandb\n"
    )
    notes = needs(theirs).notes
    assert needs(theirs).held
    assert [note.where for note in notes] == [f"experiment.py:{line}" for line in (2, 1, 3, 5)]
    assert "DIR/text8" in notes[1].todo
    left = needs(theirs, frozenset({"text8"})).notes
    assert [note.where for note in left] == [f"experiment.py:{line}" for line in (2, 3, 5)]


@pytest.mark.parametrize("name", shipped_templates(shipped_root()))
def test_a_shipped_template_has_no_such_note(name: str) -> None:
    assert needs(load_template(name, shipped_root())).notes == ()


def test_numbers_that_could_be_varied_are_named_with_what_they_are() -> None:
    found = candidates(
        folder(
            "WIDTH = 8\nSEED = 3\nrate = 1e-3\nTWICE = 1\nTWICE = 2\nNAME = 'x'\nFLAG = True\n"
            "parser.add_argument('--hidden', default=32)\n"
        )
    )
    assert [(one.kind, one.name, one.value) for one in found] == [
        ("knob", "WIDTH", 8),
        ("variable", "rate", 0.001),
        ("variable", "TWICE", 1),
        ("variable", "TWICE", 2),
        ("argument", "hidden", 32),
    ]
    assert found[0].values == (4, 8, 16)


def test_code_that_is_nested_without_end_is_passed_over() -> None:
    theirs = folder("import pandas\nx = " + " + ".join(["f(1)"] * 900) + "\nmodel.cuda()\n")
    assert [one.module for one in absent_imports(theirs)] == ["pandas"]
    assert [one.line for one in sightings(theirs)] == [3]
    assert candidates(theirs) == ()
