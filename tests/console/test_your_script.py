"""docs/your-script.md, typed: each difference is applied, and each command runs."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support.places import ROOT
from tests.support.template_rig import contract_findings

PAGE = (ROOT / "docs/your-script.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(diff|sh)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
NAME = "plot_digits_classification.py"
# A script of the form of the page's example, in few words of our own.
SCRIPT = '''"""Recognise digits."""

from sklearn import datasets, svm
from sklearn.model_selection import train_test_split

digits = datasets.load_digits()
data = digits.images.reshape((len(digits.images), -1))
machine = svm.SVC(gamma=0.001)
known, new, digit, new_digit = train_test_split(data, digits.target, test_size=0.5)
print("score", machine.fit(known, digit).score(new, new_digit))
'''


def changed(text: str, block: str) -> str:
    """``text`` with every part of a difference applied; each part must stand there once."""
    for part in re.split(r"^\.\.\.\n", block, flags=re.MULTILINE):
        rows = part.splitlines()
        old = "\n".join(row[1:] for row in rows if row[:1] != "+")
        new = "\n".join(row[1:] for row in rows if row[:1] != "-")
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def steps(place: Path, *, run: bool) -> Iterator[subprocess.CompletedProcess[str]]:
    """The page from its first line to its last; without ``run`` no command asks for a container."""
    (place / NAME).write_text(SCRIPT)
    for kind, block in BLOCKS:
        if kind == "diff":
            head, _, rest = block.partition("\n")
            path = place / head.removeprefix("--- ")
            path.write_text(changed(path.read_text(), rest))
            continue
        for line in filter(None, block.splitlines()):
            words = line.removesuffix(" || true").split()[1:]
            if not run and words[0] == "run":
                continue
            if not run and "check" in words:
                if "--write" in words:
                    _written_by_hand(place)
                continue
            argv = [sys.executable, str(ROOT / "cli.py"), *words]
            yield subprocess.run(argv, cwd=place, capture_output=True, text=True, check=False)


def _written_by_hand(place: Path) -> None:
    """What ``--write`` would write, for a machine without an engine."""
    path = place / "digits/template.yaml"
    mark = "    direction: none  # FILL IN: lower or higher, if one is better\n"
    mark += '    description: "FILL IN: what it is, and in what unit"\n'
    text = re.sub(r"^metrics: .*$", "metrics:", path.read_text(), flags=re.MULTILINE)
    rows = "".join(f"  {name}_mean:\n{mark}" for name in ("accuracy", "guessing"))
    path.write_text(text.replace("metrics:\n", f"metrics:\n{rows}"))


@pytest.mark.program
def test_the_page_has_ten_steps_and_each_difference_fits(tmp_path: Path) -> None:
    assert len(re.findall(r"^## \d+\. ", PAGE, re.MULTILINE)) == 10
    done = list(steps(tmp_path, run=False))
    assert [one.returncode for one in done[:2]] == [0, 0]
    assert "line" in done[0].stdout
    template = load_template(f"{tmp_path}/digits/", shipped_root())
    assert contract_findings(template) == ()
    assert set(template.manifest.knobs) == {"gamma", "test_share"}


@pytest.mark.engine
def test_the_page_can_be_typed_and_ends_with_a_template_that_keeps_its_contract(
    tmp_path: Path,
) -> None:
    new, first, check, show, plan = list(steps(tmp_path, run=True))
    assert (new.returncode, first.returncode) == (0, 2), first.stdout + first.stderr
    assert "metrics.accuracy_mean" in first.stdout
    assert check.returncode == 0, check.stdout + check.stderr
    assert check.stdout.endswith("digits: keeps its contract\n")
    assert "How few digits" in show.stdout
    assert plan.returncode == 0, plan.stdout + plan.stderr
    manifest = load_template(f"{tmp_path}/digits/", shipped_root()).manifest
    assert manifest.scales["full"].seeds == (0, 1, 2, 3)
