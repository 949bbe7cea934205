"""Figures are inspected in a real container, by what matplotlib drew; ``plot.py`` notices nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.record.blobs import BlobStore
from orchestrator.research.looking.figures import figure_words, what_is_wrong
from orchestrator.research.looking.inspection import REPORT, SCRIPT, read_inspection, scripts
from orchestrator.sandbox.engine.client import connect
from orchestrator.sandbox.images.images import resolve_image
from orchestrator.sandbox.sandbox import DockerSandbox
from orchestrator.template.folder import shipped_templates
from orchestrator.template.template import load_template
from tests.support.plots_rig import Stage, program
from tests.support.sample import some
from tests.support.sandbox_rig import opened_sandbox
from tests.support.template_rig import closed, image_of

pytestmark = pytest.mark.engine

IMAGE = "aisci-sandbox:cpu"
HEAD = "import matplotlib.pyplot as plt\nfigure, axes = plt.subplots(1, 2, figsize=(7, 3), layout='constrained')\n"
GOOD = HEAD + (
    "for axis in axes:\n"
    "    axis.plot([0, 1, 2], [3, 2, 1], label='one')\n"
    "    axis.fill_between([0, 1, 2], [2, 1, 0], [4, 3, 2], alpha=0.2)\n"
    "    axis.set(xlabel='updates', ylabel='loss (nats)')\n"
    "axes[0].legend()\n"
)
SAVED = "figure.savefig('a.png')\n"
FLAWS = {
    "cuts off this legend entry": "figure.legend(['a label that is far too long for it ' * 4], loc='upper center')\n",
    "panel 2 is empty": "axes[1].clear()\n",
    "panel 1 has no label on its y axis": "axes[0].set_ylabel('')\naxes[1].set_ylabel('')\n",
    "each tick label of the x axis of panel 1 overlaps the next": "axes[0].set_xticks([0, 1, 2], ['a long name of a task'] * 3)\n",
    "the series 'gone' has no finite point": "axes[0].plot([0, 1], [float('nan')] * 2, label='gone')\n",
    "lies outside of the range": "axes[0].set_ylim(50, 60)\n",
    "cuts off this text": "figure.text(0.97, 0.5, 'this stands beside the canvas')\n",
    "too small": "plt.rcParams['savefig.dpi'] = 80\n",
}


def run(source: str, command: str = f"python {SCRIPT} plot.py") -> dict[str, bytes]:
    files = {path: text.encode() for path, text in scripts().items()}
    return closed(IMAGE, {**files, "plot.py": source.encode()}, command)


def test_a_good_figure_is_described_and_has_no_flaw() -> None:
    found = read_inspection(run(GOOD + SAVED)[REPORT])
    assert (found.trouble, len(found.figures)) == ("", 1)
    (one,) = found.figures
    assert what_is_wrong(one) == ()
    assert (one.pixels, one.dpi) == ((2100, 900), 300)
    assert [axes.x.label for axes in one.axes] == ["updates"] * 2
    assert one.axes[0].legend == ("one",)
    first = one.axes[0].series[0]
    assert (first.kind, first.label, first.points, first.y) == ("line", "one", 3, (1, 3))
    assert first.look.startswith("#0072b2")
    assert [series.kind for series in one.axes[0].series] == ["line", "band"]


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ("0, 2", "reaches up to 3, and its y axis ends at 2: the rest is cut off"),
        ("1.5, 4", "reaches down to 1, and its y axis begins at 1.5: the rest is cut off"),
    ],
)
def test_a_series_that_leaves_its_axis_is_named(limits: str, said: str) -> None:
    source = GOOD + f"axes[0].set_ylim({limits})\n" + SAVED
    (one,) = read_inspection(run(source)[REPORT]).figures
    assert f"the series 'one' {said}" in "\n".join(what_is_wrong(one))


def test_what_lies_in_its_panel_by_design_is_no_flaw() -> None:
    """Images by their corners, bars that lie by their length, straight lines without a label."""
    source = (
        "import matplotlib.pyplot as plt\n"
        "figure, axes = plt.subplots(1, 3, figsize=(7, 3), layout='constrained')\n"
        "axes[0].imshow([[-50, 2], [3, 70]])\n"
        "axes[0].set(xticks=[], yticks=[], xlabel='x', ylabel='y')\n"
        "axes[1].barh(range(3), [40, 50, 60], label='share')\n"
        "axes[1].set(xlabel='%', ylabel='part')\n"
        "axes[2].plot([0, 1, 2], [3, 2, 1])\n"
        "axes[2].plot([0, 2], [90, 70])\n"
        "axes[2].set(xlabel='x', ylabel='y', ylim=(0, 4))\n"
    )
    (one,) = read_inspection(run(source + SAVED)[REPORT]).figures
    assert what_is_wrong(one) == ()
    said = figure_words(one)
    assert "image (values -50 to 70)" in said
    assert "horizontal bars 'share' (3 points, x 40 to 60)" in said


def test_an_image_without_a_value_is_named() -> None:
    empty = "axes[0].clear()\naxes[0].imshow([[float('nan')] * 2] * 2)\n"
    (one,) = read_inspection(run(GOOD + empty + SAVED)[REPORT]).figures
    assert "panel 1 is empty: no point" in "\n".join(what_is_wrong(one))


def test_turned_tick_labels_and_a_tight_canvas_are_no_flaws() -> None:
    turned = "axes[0].set_xticks([0, 1, 2], ['a long name of a task'] * 3, rotation=45)\n"
    outside = "figure.text(1.05, 0.5, 'beside')\nfigure.savefig('a.png', bbox_inches='tight')\n"
    for more in (turned + SAVED, outside):
        (one,) = read_inspection(run(GOOD + more)[REPORT]).figures
        assert what_is_wrong(one) == (), more


SURROUNDINGS = """
import json, sys, os, inspect, atexit
class Kept: pass
facts = {"argv": sys.argv, "file": __file__, "name": __name__, "path": sys.path[0], "spec": __spec__ is None,
         "package": __package__, "main": sys.modules["__main__"].Kept is Kept, "folder": os.getcwd(),
         "source": inspect.getsource(Kept), "doc": __doc__, "builtins": type(__builtins__).__name__}
print(json.dumps(facts), file=sys.stderr)
atexit.register(lambda: print("late", Kept.__name__, file=sys.stderr))
open("out.txt", "a").write("x")
"""


@pytest.mark.parametrize(
    "ending",
    ["", "raise ValueError('no ink')", "sys.exit(3)", "sys.exit('words')", "1 +", "os._exit(5)", "open('absent')"],
)  # fmt: skip
def test_plot_py_ends_and_sees_the_same_with_and_without_inspection(ending: str) -> None:
    def ends(command: str) -> tuple[bytes, bytes]:
        left = run(SURROUNDINGS + ending, f"{command} 2>said && echo 0 >rc || echo $? >rc")
        return left["said"], left["rc"]

    assert ends(f"python {SCRIPT} plot.py") == ends("python plot.py")


def test_pictures_are_the_same_bytes_unless_a_default_decides() -> None:
    own = GOOD + "figure.savefig('a.png', dpi=120)\nfigure.savefig('b.png', dpi=120)\n"
    own = f"import matplotlib\nmatplotlib.use('Agg')\nmatplotlib.rcParams['axes.prop_cycle'] = matplotlib.cycler(color='rgb')\n{own}"
    bare, watched = run(own, "python plot.py"), run(own)
    assert {p: bare[p] for p in ("a.png", "b.png")} == {p: watched[p] for p in ("a.png", "b.png")}


def test_figures_without_matplotlib_and_other_formats_have_no_entry() -> None:
    assert REPORT not in run("open('a.png', 'wb').write(b'x')\n")
    assert REPORT not in run(GOOD + "figure.savefig('a.svg')\nfigure.savefig('/tmp/a.png')\n")


def runs_of(left: dict[str, bytes]) -> dict[str, bytes]:
    """One run stands for four."""
    run_0 = {path: data for path, data in left.items() if path.startswith("run_0/")}
    return {
        path.replace("run_0", f"run_{n}"): data for n in range(4) for path, data in run_0.items()
    }


@pytest.mark.sampled
@pytest.mark.parametrize("name", some(shipped_templates(shipped_root()), 1, "figures"))
def test_the_figures_of_a_shipped_template_have_no_flaw(name: str) -> None:
    one = load_template(name, shipped_root())
    left = closed(
        image_of(one), one.files, "AISCI_SCALE=smoke python experiment.py --out_dir=run_0"
    )
    labels = '"run_1": "LEARNING_RATE = 0.0003",\n"run_2": "WEIGHT_DECAY = 0.25",\n"run_0":'
    source = one.text("plot.py").replace('"run_0":', labels)
    files = {path: text.encode() for path, text in scripts().items()}
    drawn = closed(
        IMAGE,
        {**one.files, **files, **runs_of(left), "plot.py": source.encode()},
        f"python {SCRIPT} plot.py",
    )
    found = read_inspection(drawn[REPORT])
    assert {figure.name for figure in found.figures} == {
        path for path in drawn if path.endswith(".png")
    }
    assert [text for figure in found.figures for text in what_is_wrong(figure)] == []


# --- the stage, in the sandbox of a run -------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DockerSandbox, BlobStore]]:
    blobs = BlobStore(tmp_path_factory.mktemp("figures") / "blobs")
    engine = connect()
    try:
        with opened_sandbox(
            engine, blobs, "figures", lambda name: resolve_image(engine, name)
        ) as one:
            yield one, blobs
    finally:
        engine.close()


def test_planted_flaws_reach_the_author_and_a_corrected_figure_is_taken(
    sandbox: tuple[DockerSandbox, BlobStore], tmp_path: Path
) -> None:
    caption = "FIGURE: a.png — Loss against updates.\n"
    half = len(FLAWS) // 2
    planted = ["".join([*FLAWS.values()][:half]), "".join([*FLAWS.values()][half:])]
    sources = [GOOD + planted[0] + SAVED, GOOD + planted[1] + SAVED, GOOD + SAVED]
    one = Stage(tmp_path, *sandbox, *(program(source) + caption for source in sources))
    study = one.draw()
    said: list[Any] = one.author.troubles
    assert len(said) == 2
    for number, flaw in enumerate(FLAWS):
        assert flaw in said[number // half], said
    assert one.noted.problems == ()
    assert "y 'loss (nats)'" in study.pictures[0].description
    assert json.dumps(study.figures) == '["a.png"]'
