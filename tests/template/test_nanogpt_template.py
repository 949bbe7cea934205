"""templates/nanoGPT and its small sister: no prediction sees what follows, and sizes are the stated."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import Template, load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("nanoGPT", shipped_root())
LITE = load_template("nanoGPT_lite", shipped_root())

SMALL = """
import json, sys, experiment as e, torch
from dataclasses import asdict, replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
corpus = replace(e.SCALES["smoke"].corpora[0], updates=10, batch=4, eval_every=5, eval_batches=1)
small = replace(e.SCALES["smoke"], samples=1, written=5)
def train(seed):
    metrics, curves, texts = e.train(corpus, small, seed, "cpu", e.DATA, lambda batch: None)
    return [{k: v for k, v in metrics.items() if "time" not in k and "second" not in k}, curves, texts]
"""


def ask(program: str, **files: bytes) -> Any:
    return rig.ask(TEMPLATE, SMALL + program, files)


def test_the_two_templates_are_one_program_that_stands_in_the_repository_once() -> None:
    for path in ("experiment.py", "plot.py"):
        assert LITE.files[path] == TEMPLATE.files[path]
        assert not (shipped_root() / "templates/nanoGPT_lite" / path).exists()
    assert LITE.files["seeds.py"] != TEMPLATE.files["seeds.py"]


@pytest.mark.parametrize("template", [TEMPLATE, LITE], ids=lambda one: one.name)
def test_the_seeds_of_the_code_are_those_that_the_manifest_states(template: Template) -> None:
    (seeds,) = re.findall(
        r"^SEEDS = (\{.*\})$", template.text("seeds.py"), re.DOTALL | re.MULTILINE
    )
    used = ast.literal_eval(seeds)
    assert list(used) == ["full", "short", "smoke"]
    for scale, texts in used.items():
        assert {text: template.manifest.seeds(scale, text) for text in texts} == texts
    assert tuple(used["full"]) == template.manifest.scales["full"].data


@pytest.mark.engine
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_others() -> None:
    program = 'json.dump([train(1337), train(1338)], open("answer.json", "w"))'
    first, second = ask(program), ask(program)
    assert first == second
    assert first[0] != first[1]


CHOSEN = """
known, validation, test = (torch.full((n,), i, dtype=torch.uint8) for i, n in enumerate((900, 60, 70)))
seen, losses = [], iter([3.0, 1.0, 2.0])
def evaluate(model, data, corpus, seed):
    seen.append([len(data), model.token.weight.sum().item()])
    return next(losses) if len(data) == 60 else 0.5
e.load = lambda name, root: ([known, validation, test], ["a", "b", "c"])
e.evaluate = evaluate
e.check_causality = lambda *_: None
metrics, _, _ = train(1337)
json.dump([metrics, seen], open("answer.json", "w"))
"""


@pytest.mark.engine
def test_what_is_reported_is_the_test_loss_of_the_state_that_the_validation_loss_chose() -> None:
    metrics, seen = ask(CHOSEN)
    assert (metrics["best_val_loss"], metrics["test_loss"]) == (1.0, 0.5)
    chosen = [weight for size, weight in seen if size == 60][1]
    assert [weight for size, weight in seen if size == 70][-1] == chosen
    assert len({weight for _, weight in seen}) == 3


LEAKS = """
source = open("experiment.py").read()
answer = {}
for name, old, new in json.load(open("leaks.json")):
    assert old in source, old
    code = source.replace(old, new, 1)
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(code, name, "exec"), module.__dict__)
    model = module.Transformer(27, small)
    try:
        module.check_causality(model, 27, "cpu")
        answer[name] = ""
    except SystemExit as error:
        answer[name] = str(error)
json.dump(answer, open("answer.json", "w"))
"""


@pytest.mark.engine
def test_a_model_that_sees_future_characters_is_stopped_and_one_that_does_not_is_not() -> None:
    leaks = (
        '[["unchanged", "is_causal=True", "is_causal=True"],'
        ' ["no_mask", "is_causal=True", "is_causal=False"],'
        ' ["one_ahead", "q, k, v, dropout_p=p, is_causal=True",'
        '  "q, k, v, attn_mask=torch.ones(t, t, dtype=torch.bool).tril(1)"],'
        ' ["mean_over_places", "x = self.drop(self.token(text)", "x = self.drop(self.token(text).mean(1, keepdim=True) + self.token(text)"]]'
    )
    said = ask(LEAKS, **{"leaks.json": leaks.encode()})
    assert said.pop("unchanged") == ""
    assert len(said) == 3
    assert all("the model is not causal" in words for words in said.values()), said


SIZES = """
full = {name: asdict(scale) for name, scale in e.SCALES.items()}
model = e.Transformer(65, e.SCALES["full"])
count = sum(p.numel() for p in model.parameters())
rates = [e.rate_at(step, e.SCALES["full"].corpora[0]) for step in (0, 50, 100, 2550, 5000)]
json.dump({"scales": full, "parameters": count, "rates": rates}, open("answer.json", "w"))
"""


@pytest.mark.engine
def test_the_full_scale_is_the_one_that_the_documentation_states() -> None:
    told = ask(SIZES)
    full = told["scales"]["full"]
    assert (full["layers"], full["heads"], full["width"], full["block"]) == (6, 6, 384, 256)
    rows = [
        (c["name"], len(c["seeds"]), c["updates"], c["batch"], c["rate"]) for c in full["corpora"]
    ]
    assert rows == [
        ("shakespeare_char", 3, 5000, 64, 1.0),
        ("enwik8", 1, 100_000, 32, 0.5),
        ("text8", 1, 100_000, 32, 0.5),
    ]
    short = told["scales"]["short"]
    assert all(short[key] == full[key] for key in ("layers", "heads", "width", "block"))
    assert all(c["updates"] == 20 for c in short["corpora"])
    assert 10e6 < told["parameters"] < 11e6
    start, rising, peak, middle, end = told["rates"]
    assert start < rising < peak == 1e-3
    assert middle == pytest.approx(0.55e-3)
    assert end == pytest.approx(1e-4)
    for one, scale in ((TEMPLATE, "full"), (LITE, "full")):
        assert one.manifest.scales[scale].data


TEXTS = """
from pathlib import Path
answer = {}
for name in ("enwik8", "text8", "shakespeare_char"):
    parts, characters = e.load(name, Path("data"))
    whole = "".join(characters[i] for part in parts for i in part.tolist())
    answer[name] = [[len(part) for part in parts], "".join(characters), whole]
try:
    e.load("text8", Path("nowhere"))
except SystemExit as error:
    answer["missing"] = str(error)
json.dump(answer, open("answer.json", "w"))
"""


def zipped(name: str, content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(name, content)
    return held.getvalue()


@pytest.mark.engine
def test_the_three_texts_are_read_in_their_true_formats_and_cut_as_is_usual() -> None:
    wiki = ("<page>Ä" * 50).encode()  # two bytes for the letter: bytes are what is predicted
    letters = b"a quick brown fox " * 20
    plays = b"First Citizen:\nBefore we proceed\n" * 10
    files = {
        "data/enwik8/enwik8.zip": zipped("enwik8", wiki),
        "data/text8/text8.zip": zipped("text8", letters),
        "data/shakespeare_char/input.txt": plays,
    }
    told = ask(TEXTS, **files)
    for name, content in (("enwik8", wiki), ("text8", letters), ("shakespeare_char", plays)):
        (known, validation, test), characters, whole = told[name]
        assert known == int(0.9 * len(content))
        assert known + validation == int(0.95 * len(content))
        assert known + validation + test == len(content)
        assert characters == "".join(sorted(set(content.decode("latin-1"))))
        assert whole == content.decode("latin-1")
    assert "aisci data prepare nanoGPT" in told["missing"]


COUNTS = """
parts, characters = e.load("python_docs", e.DATA)
n, known, answer = len(characters), parts[0].long(), {}
pairs = torch.zeros(n, n, dtype=torch.double)
pairs.index_put_((known[:-1], known[1:]), torch.ones(len(known) - 1, dtype=torch.double), accumulate=True)
follows = (pairs + 0.1) / (pairs + 0.1).sum(1, keepdim=True)
occurs = torch.bincount(known, minlength=n).double() + 0.1
occurs /= occurs.sum()
corpus, block = e.SCALES["smoke"].corpora[0], e.SCALES["smoke"].block
for name, part in zip(("train", "val", "test"), parts):
    losses = []
    for seed in corpus.seeds:
        source = torch.Generator().manual_seed(seed)
        for _ in range(corpus.eval_batches):  # the windows of e.evaluate
            starts = torch.randint(len(part) - block, (corpus.batch,), generator=source)
            seen, after = e.windows(part, starts, block)
            losses.append([-occurs[after].log().mean().item(), -follows[seen, after].log().mean().item()])
    answer[name] = torch.tensor(losses).mean(0).tolist()
json.dump(answer, open("answer.json", "w"))
"""


@pytest.mark.engine
def test_the_counts_on_its_page_are_those_of_the_windows_that_the_model_is_measured_on() -> None:
    page = (shipped_root() / "docs/templates/nanoGPT.md").read_text("utf-8")
    told = ask(COUNTS)
    for i, row in enumerate(("each character occurs", "it follows the one before")):
        (line,) = [line for line in page.splitlines() if line.startswith(f"| how often {row}")]
        test, validation, train = (float(x) for x in re.findall(r"([\d.]+) ±", line))
        found = [told[part][i] for part in ("test", "val", "train")]
        assert [test, validation, train] == pytest.approx(found, abs=0.001)
