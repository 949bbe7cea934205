"""python .aisci/inspect_figures.py plot.py: run plot.py, and write down what its figures show.

Runs inside the container of an experiment. plot.py behaves as if Python had started it, but for three
defaults: no window, 300 dots an inch, and colours that colour-blind readers can tell apart. After
each PNG that matplotlib saves into the working folder, ``.aisci/figures.json`` says what is in it::

    {"figures": [{"name", "pixels", "inches", "dpi", "title", "legend", "smallest",
                  "axes": […], "outside": [[part, panel, text]…], "overlaps": [[…, …]…]}]}

A panel is the position of its axes in "axes", or -1. The code that is watched can change all of this:
the host takes it as words about the figures and as nothing else.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib.machinery
import itertools
import json
import os
import struct
import sys
import types
import warnings
from pathlib import Path
from typing import Any

from inspect_panels import MOST_WORDS, panel_of, short
from inspect_texts import all_axes, all_texts, corners, of_legends, overlap

HERE = Path.cwd()
REPORT = HERE / ".aisci" / "figures.json"
DPI = 300
# Okabe and Ito's palette: distinct under the common kinds of colour blindness
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"]
MOST_FIGURES, MOST_AXES = 20, 16
MOST_TEXTS = 400  # of a figure, that are compared with one another
MOST_FOUND = 20  # texts outside, and overlaps
MOST_BYTES = 400_000
INSIDE = 0.01  # inches that a text may leave the canvas: the space around its letters


def main() -> None:
    script = os.path.abspath(sys.argv[1])  # noqa: PTH100 - as Python makes it: links are not followed
    del sys.argv[0]
    sys.path[0] = os.path.dirname(script)  # noqa: PTH120 - a text, as Python puts it there
    with contextlib.suppress(ImportError):
        watch()
    module = types.ModuleType("__main__")
    loader = importlib.machinery.SourceFileLoader("__main__", script)
    module.__dict__.update(__file__=script, __builtins__=builtins, __loader__=loader)
    sys.modules["__main__"] = module
    try:
        code = compile(Path(script).read_bytes(), script, "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - this is what it is for
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001 - shown as Python shows it, without this file's frame
        trace = error.__traceback__
        error = error.with_traceback(trace.tb_next if trace else None)
        sys.excepthook(type(error), error, error.__traceback__)
        sys.exit(130 if isinstance(error, KeyboardInterrupt) else 1)


def watch() -> None:
    """Set the defaults, and have every ``savefig`` followed by an inspection."""
    import matplotlib as mpl  # noqa: PLC0415 - plot.py may do without it
    from matplotlib.figure import Figure  # noqa: PLC0415

    mpl.use("Agg")
    mpl.rcParams["savefig.dpi"] = DPI
    mpl.rcParams["axes.prop_cycle"] = mpl.cycler(color=COLOURS)
    original = Figure.savefig

    @functools.wraps(original)
    def savefig(self: Any, *args: Any, **kwargs: Any) -> Any:
        done = original(self, *args, **kwargs)
        # A figure that cannot be inspected has no entry; plot.py goes on.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            keep(self, args[0] if args else kwargs["fname"], kwargs, mpl.rcParams)
        return done

    Figure.savefig = savefig


def keep(figure: Any, target: Any, options: dict[str, Any], settings: Any) -> None:
    """Put what ``figure`` shows into the report, if it was saved as a PNG of the working folder."""
    path = Path(target)
    if not path.suffix:
        path = path.with_name(f"{path.name}.{options.get('format') or settings['savefig.format']}")
    with path.open("rb") as file:
        head = file.read(24)
    if path.absolute().parent != HERE or not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return
    dpi = options.get("dpi") or settings["savefig.dpi"]
    dpi = figure.dpi if dpi == "figure" else float(dpi)
    cut = options.get("bbox_inches", settings["savefig.bbox"]) is None
    before = figure.dpi
    figure.dpi = dpi
    try:
        shown = inspected(figure, dpi, cut=cut)
    finally:
        figure.dpi = before
    width, height = struct.unpack(">II", head[16:24])
    size = {"pixels": [width, height], "inches": [short(width / dpi), short(height / dpi)]}
    write({"name": path.name[:120], **size, "dpi": short(dpi), **shown})


def write(entry: dict[str, Any]) -> None:
    try:
        known = json.loads(REPORT.read_text("utf-8"))["figures"]
    except (OSError, ValueError, KeyError):
        known = []
    others = [one for one in known if one["name"] != entry["name"]]
    text = json.dumps({"figures": [*others, entry]}, allow_nan=False)
    if len(others) < MOST_FIGURES and len(text) <= MOST_BYTES:
        new = REPORT.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.replace(REPORT)


def inspected(figure: Any, dpi: float, *, cut: bool) -> dict[str, Any]:
    """What a saved figure shows. Only with ``cut``, what stands outside of the canvas is lost."""
    from matplotlib.backends.backend_agg import RendererAgg  # noqa: PLC0415

    renderer = RendererAgg(*map(float, figure.bbox.size), dpi)
    axes = [one for one in all_axes(figure) if one.get_visible()][:MOST_AXES]
    texts = [
        (part, panel, text.get_text()[:120], corners(text, renderer), text.get_fontsize())
        for part, panel, text in itertools.islice(all_texts(figure, axes), MOST_TEXTS)
    ]
    room = INSIDE * dpi
    width, height = figure.bbox.size
    outside = [
        one[:3]
        for one in texts
        for xs, ys in [zip(*one[3], strict=True)]
        if min(*xs, *ys) < -room or max(xs) > width + room or max(ys) > height + room
    ]
    pairs = itertools.combinations(texts, 2)
    overlaps = [[*one[:3], *other[:3]] for one, other in pairs if overlap(one[3], other[3])]
    legends = [text for one in (figure, *figure.subfigs) for text in of_legends(one.legends)]
    return {
        "title": figure.get_suptitle()[:120],
        "legend": [text.get_text()[:120] for text in legends][:MOST_WORDS],
        "smallest": short(min((one[4] for one in texts), default=0)),
        "axes": [panel_of(one, figure) for one in axes],
        "outside": outside[:MOST_FOUND] if cut else [],
        "overlaps": overlaps[:MOST_FOUND],
    }


if __name__ == "__main__":
    main()
