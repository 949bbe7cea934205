"""templates/grokking computes what it says: its tables, its seeds, its full scale, its curves."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("grokking", shipped_root())


def ask(program: str) -> Any:
    return rig.ask(TEMPLATE, program)


REPEAT = """
import json, experiment as e, torch
from dataclasses import replace
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], updates=30, eval_every=10)
runs = {seed: e.train("x_minus_y", small, seed, "cpu") for seed in small.seeds}
json.dump(runs, open("answer.json", "w"))
"""


@pytest.mark.engine
def test_the_same_seed_gives_the_same_numbers_to_the_last_bit_and_another_seed_others() -> None:
    first, second = ask(REPEAT), ask(REPEAT)
    assert first == second
    assert len({json.dumps(run) for run in first.values()}) == 3


TABLES = """
import json, experiment as e, torch
from dataclasses import asdict, replace
full = e.SCALES["full"]
seven = replace(full, modulus=7, letters=3)
splits = {}
for task in full.tasks:
    known, held_out, answers = e.load_task(task, seven, 1)
    other = e.load_task(task, seven, 2)[0]
    splits[task] = [known.tolist(), held_out.tolist(), answers, other.tolist()]
json.dump({"splits": splits, "full": asdict(full)}, open("answer.json", "w"))
"""


@pytest.fixture(scope="module")
def tables() -> Any:
    return ask(TABLES)


@pytest.mark.engine
def test_the_tasks_are_the_operations_that_they_are_named_after(tables: Any) -> None:
    laws = {
        "x_plus_y": lambda a, b, c: (a + b - c) % 7 == 0,
        "x_minus_y": lambda a, b, c: (a - b - c) % 7 == 0,
        "x_div_y": lambda a, b, c: (c * b - a) % 7 == 0 and b != 0,
    }
    sizes = {"x_plus_y": 49, "x_minus_y": 49, "x_div_y": 42, "permutation": 36}
    for task, (known, held_out, answers, other_seed) in tables["splits"].items():
        table = {(a, b): c for a, b, c in known + held_out}
        assert len(table) == len(known) + len(held_out) == sizes[task]  # no pair on both sides
        assert abs(len(known) - len(held_out)) <= 1
        assert known != other_seed
        assert set(table.values()) == set(range(answers))
        if task in laws:
            assert all(laws[task](a, b, c) for (a, b), c in table.items())
        else:  # a group that is not commutative: associative, and a.b is not always b.a
            group = range(answers)
            assert all(
                table[table[a, b], c] == table[a, table[b, c]]
                for a in group for b in group for c in group
            )  # fmt: skip
            assert any(table[a, b] != table[b, a] for a in group for b in group)


@pytest.mark.engine
def test_the_full_scale_is_the_one_that_the_documentation_states(tables: Any) -> None:
    full = tables["full"]
    assert (full["layers"], full["width"], full["heads"]) == (2, 128, 4)
    assert (full["updates"], full["batch"], full["modulus"], full["letters"]) == (7500, 512, 97, 5)
    assert len(full["seeds"]) == 3
    assert full["tasks"] == ["x_div_y", "x_minus_y", "x_plus_y", "permutation"]
    knobs = TEMPLATE.manifest.knobs
    assert knobs["learning_rate"].default == 1e-3
    assert (knobs["weight_decay"].default, knobs["warmup_updates"].default) == (0.5, 50)


CURVES = """
import json, experiment as e, torch
from dataclasses import replace
torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], updates=30, eval_every=10)
json.dump(e.train("x_minus_y", small, 1337, "cpu"), open("answer.json", "w"))
"""


@pytest.mark.engine
def test_the_curves_end_where_the_final_metrics_are() -> None:
    metrics, curves = ask(CURVES)
    assert curves["step"] == [0, 10, 20, 30]
    for name in ("train_loss", "train_acc", "val_loss", "val_acc"):
        assert len(curves[name]) == 4
        assert curves[name][-1] == metrics[f"final_{name}"]
    assert curves["val_loss"][0] == metrics["initial_val_loss"]


NEVER = """
import json, experiment as e
one = {"reached_val_acc_99": 1.0, "step_val_acc_99": 100.0}
never = {"reached_val_acc_99": 0.0}
json.dump([e.summarise([one, one]), e.summarise([one, never]), e.summarise([one])], open("answer.json", "w"))
"""


@pytest.mark.engine
def test_a_time_that_one_seed_never_reached_has_no_mean_and_one_seed_no_error() -> None:
    both, some, single = ask(NEVER)
    assert both["means"] == {"reached_val_acc_99_mean": 1.0, "step_val_acc_99_mean": 100.0}
    assert some["means"] == {"reached_val_acc_99_mean": 0.5}
    assert single["stderrs"] == {}
