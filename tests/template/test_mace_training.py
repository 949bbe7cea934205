"""templates/mace: a seed decides everything, test trajectories teach nothing, and the truth has no error."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("mace", shipped_root())

BEGIN = """
import json, sys, tempfile, experiment as e, torch
from dataclasses import replace
from pathlib import Path
torch.use_deterministic_algorithms(mode=True); torch.set_num_threads(1)
small = replace(e.SCALES["smoke"], seeds=(1337,), walkers=(8, 2, 4), frames=3, settle=60, apart=20,
                updates=6, eval_every=3, batch=4, runs=3, steps=20)
def refused(act):
    try:
        act()
    except SystemExit as error:
        return str(error)
    return ""
"""


def ask(program: str, **files: bytes) -> Any:
    end = '\njson.dump(answer, open("answer.json", "w"))'
    return rig.ask(TEMPLATE, f"{BEGIN}{program}{end}", files)


@pytest.mark.engine
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others() -> None:
    program = """
def train(seed):
    found = e.train(e.generate("methanol", small, seed), small, seed, "cpu", lambda: None)
    return [{k: v for k, v in found.metrics.items() if k != "train_time"}, found.curve, found.dynamics]
answer = [train(1337), train(1338)]
"""
    first, second = ask(program), ask(program)
    assert json.dumps(first) == json.dumps(second)
    assert all(one != other for one, other in zip(*first, strict=True))


LEAKS = """
source, answer = open("experiment.py").read(), {}
for name, old, new in json.load(open("leaks.json")):
    assert old in source, old
    module = type(sys)(name); module.__file__ = "experiment.py"; sys.modules[name] = module
    exec(compile(source.replace(old, new, 1), name, "exec"), module.__dict__)
    answer[name] = refused(lambda: module.train(module.generate("methanol", small, 1337), small, 1337, "cpu", lambda: None))
"""


@pytest.mark.engine
def test_test_configurations_in_training_are_noticed_however_they_got_there() -> None:
    """Also one that was turned and shifted on the way, and a later frame of a test trajectory."""
    built = "return Study(molecule, Split(few(known, seed), validation, test), truth)"
    plant = "known.x[0] = test.x[-1] @ rotation(torch.Generator()).T + 1.5; "
    ends = "ends = [scale.frames * n for n in np.cumsum((0, *scale.walkers))]"
    leaks = [
        ["unchanged", built, built],
        ["turned", built, plant + built],
        ["later", ends, ends.replace("]", "]; ends[2] += 1")],
        ["chooses", built, built.replace("validation, test)", "test, test)")],
        ["all", built, built.replace("few(known, seed)", "every")],
    ]
    said = ask(LEAKS, **{"leaks.json": json.dumps(leaks).encode()})
    assert said.pop("unchanged") == ""
    assert len(said) == 4
    assert all("the split leaks" in words for words in said.values()), said
    assert "trajectories" in said["later"]
    assert "configurations" in said["turned"]


@pytest.mark.engine
def test_forces_that_are_no_gradient_stop_the_run() -> None:
    right = "return (found, -slope) if learn else (found.detach(), -slope.detach())"
    leaks = [["wrong", right, right.replace("-slope.detach())", "-1.01 * slope.detach())")]]
    said = ask(LEAKS, **{"leaks.json": json.dumps(leaks).encode()})
    assert "forces are not the negative gradient of the energy" in said["wrong"]


@pytest.mark.engine
def test_the_true_potential_has_no_error_and_moves_as_the_truth_does() -> None:
    """An oracle: what it scores is what a perfect model would, and chance moves it to the floor."""
    program = """
answer = {}
for name in e.MOLECULES:
    study = e.generate(name, small, 1337)
    found, _ = e.simulate(study.truth, study, small, 1337)
    answer[name] = [e.errors(study.truth, study.split.test), found]
"""
    for errors, found in ask(program).values():
        assert max(errors) < 1e-9
        assert found["distance_error"] == 0 < found["distance_floor"]
        assert found["energy_drift"] == pytest.approx(found["true_drift"])
        assert found["stable_time"] == pytest.approx(10.0)


@pytest.mark.engine
def test_least_squares_find_a_potential_of_pairs_and_dynamics_tells_a_bond_that_breaks() -> None:
    program = """
study = e.generate("methanol", replace(small, walkers=(40, 2, 4)), 1337)
def pairs(x):  # springs between all atoms, softer with distance
    i, j = torch.triu_indices(6, 6, 1)
    far = (x[:, i] - x[:, j]).norm(dim=-1)
    return (torch.exp(-far) * 3).sum(-1)
def labelled(part): return replace(part, force=e.energy_and_forces(pairs, part.x)[1])
split = study.split
mae = e.pair_force_mae(labelled(split.known), labelled(split.test), study.molecule)
size = 1000 * labelled(split.test).force.abs().mean().item()
apart = lambda x: (torch.zeros(len(x)), 40.0 * (x - x.mean(1, keepdim=True)))
one = e.move(apart, split.test.x[:3], torch.zeros(3, 6, 3), study.molecule, 200)
lost = e.move(lambda x: (x.sum((1, 2)) * torch.nan, x * torch.nan), split.test.x[:3], torch.zeros(3, 6, 3), study.molecule, 50)
answer = [mae / size, one.whole.double().mean(1).tolist(), len(one.times), one.times[-1],
          bool(one.positions.isfinite().all()), lost.whole.double().mean(1).tolist()]
"""
    share, whole, count, end, finite, lost = ask(program)
    assert share < 0.03
    assert (whole[0], whole[-1]) == (1, 0)
    assert whole == sorted(whole, reverse=True)
    assert (count, end, finite) == (51, 100.0, True)
    assert (lost[0], lost[-1]) == (1, 0)


@pytest.mark.engine
def test_mounted_files_are_read_in_kcal_and_split_in_time_with_a_gap() -> None:
    program = """
root = Path(tempfile.mkdtemp()); e.make(root)
path = e.files(root)["made"]
symbols, x, energy, force = e.read_xyz(path)
truth = e.Classical(e.MOLECULES["methanol"])
study = e.load(path, 1)
true_energy, true_force = truth(study.split.test.x)
answer = {"symbols": "".join(symbols), "frames": len(x), "bonds": sorted(study.molecule.bonds),
          "error": [(study.split.test.energy - true_energy).abs().max().item(), (study.split.test.force - true_force).abs().max().item()],
          "parts": [len(part.x) for part in vars(study.split).values()],
          "metrics": sorted(e.train(study, small, 1, "cpu", lambda: None).metrics)}
def place(part): return [x.index(row) for row in part.x.numpy().round(6).tolist()]
x = x.round(6).tolist()
known, validation, test = (place(part) for part in vars(study.split).values())
answer["gaps"] = [min(validation) - max(known), min(test) - max(validation)]
lines = path.read_text().split("\\n")
for name, text in {"unit": "\\n".join(lines).replace("energy=", "E="), "element": "\\n".join(lines).replace("O ", "Xe "),
                   "short": "\\n".join(lines[:80]), "cut": "\\n".join(lines[:-4])}.items():
    path.write_text(text)
    answer[name] = refused(lambda: e.load(path, 1))
"""
    told = ask(program)
    assert (told["symbols"], told["frames"]) == ("COHHHH", 240)
    assert told["bonds"] == [[0, 1], [0, 2], [0, 3], [0, 4], [1, 5]]
    assert max(told["error"]) < 1e-5
    assert told["parts"] == [144, 12, 60]
    assert min(told["gaps"]) > 11
    assert not {"true_drift", "distance_floor"} & set(told["metrics"])
    assert "made.xyz:1: this frame is not what was expected" in told["unit"]
    assert "energy=E in kcal/mol" in told["element"]
    assert "too few to split" in told["short"]
    assert "made.xyz:1913" in told["cut"]
