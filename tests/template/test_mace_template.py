"""templates/mace: the potential that labels, and the model, are what physics says of them."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from orchestrator.core.files import shipped_root
from orchestrator.template.template import load_template
from tests.support import template_rig as rig

TEMPLATE = load_template("mace", shipped_root())

BEGIN = """
import itertools, math
import experiment as e, torch
from dataclasses import replace
from e3nn import o3
torch.set_num_threads(1)
source = torch.Generator().manual_seed(3)
scale = replace(e.SCALES["smoke"], walkers=(6, 2, 4), frames=3, settle=60, apart=20)
studies = {name: e.generate(name, scale, 5) for name in e.MOLECULES}
def size(x): return x.abs().max().item()
def slopes(energy, x, h=1e-5):
    found = torch.zeros_like(x)
    for place in itertools.product(*map(range, x.shape[1:])):
        step = torch.zeros_like(x); step[(slice(None), *place)] = h
        found[(slice(None), *place)] = (energy(x + step) - energy(x - step)).detach() / (2 * h)
    return found
"""
TRUTHS: dict[str, str] = {}  # short programs, which share a container


@pytest.fixture(scope="module")
def truths() -> Any:
    return rig.answers(TEMPLATE, BEGIN, TRUTHS)


TRUTHS["classical"] = """
answer = {}
for name, study in studies.items():
    x, rest = study.split.test.x[:3], torch.tensor(study.molecule.rest)[None]
    energy, force = study.truth(x)
    answer[name] = [size(force + slopes(study.truth.energy, x)), size(force), size(study.truth(rest)[1]),
                    [len(table[0].T) for table in study.truth.tables], len(study.truth.depth)]
# One bond, one angle, one torsion, one pair, each alone, by hand and in kcal/mol.
def alone(keep):
    one = e.Classical(e.MOLECULES["ethanol"])
    for n, (_, values) in enumerate(one.tables):
        values[0 if n < 2 else slice(None)] *= n == keep
    one.depth = one.depth * (keep == 3)
    return one
x = studies["ethanol"].split.test.x[:1]
by_hand = []
a = x[0]
by_hand.append(sum(k * ((a[i] - a[j]).norm() - r) ** 2 for (i, j), k, r in zip(e.chains(e.MOLECULES["ethanol"], 2), *alone(0).tables[0][1])))
total = 0
for (i, j, k), weight, rest in zip(e.chains(e.MOLECULES["ethanol"], 3), *alone(1).tables[1][1]):
    u, v = a[i] - a[j], a[k] - a[j]
    total += weight * (torch.acos((u @ v) / u.norm() / v.norm()) - rest * math.pi / 180) ** 2
by_hand.append(total)
total = 0
for (i, j, k, l), v1, v2, v3 in zip(e.chains(e.MOLECULES["ethanol"], 4), *alone(2).tables[2][1]):
    one, two, three = a[j] - a[i], a[k] - a[j], a[l] - a[k]
    m, n = torch.linalg.cross(one, two), torch.linalg.cross(two, three)
    phi = torch.atan2(two.norm() * (one @ n), m @ n)
    total += (v1 * (1 + phi.cos()) + v2 * (1 - (2 * phi).cos()) + v3 * (1 + (3 * phi).cos())) / 2
by_hand.append(total)
answer["terms"] = [[alone(n).energy(x).item() / e.KCAL for n in range(3)], [one.item() for one in by_hand]]
"""


@pytest.mark.engine
def test_the_potential_is_the_sum_of_its_terms_and_its_forces_their_gradient(truths: Any) -> None:
    told = truths["classical"]
    ours, by_hand = told.pop("terms")
    assert ours == pytest.approx(by_hand, rel=1e-9)
    assert [told[name][3:] for name in told] == [[[5, 7, 3], 3], [[8, 13, 12], 15]]
    for error, largest, at_rest, *_ in told.values():
        assert error < 1e-6 * largest
        assert at_rest < 0.02 * largest  # eV/Angstrom: the coordinates have three decimals


TRUTHS["verlet"] = """
study = studies["ethanol"]
x, v = study.split.test.x[:4], e.thermal(study.molecule.masses, 4, source)
errors = []
for step, steps in ((0.2, 400), (0.1, 800), (0.05, 1600)):
    motion = e.move(study.truth, x, v, study.molecule, steps, step)
    errors.append(motion.drift.amax(0).mean().item())
whole = motion.whole.all().item()
there = e.move(study.truth, x, v, study.molecule, 50, 0.2)
momentum = (study.molecule.masses * v).sum(1)
kinetic = (study.molecule.masses * e.thermal(study.molecule.masses, 4000, source) ** 2).sum((1, 2)) / 2 / e.ACCELERATION
answer = [errors, whole, size(momentum), there.times[-1], kinetic.mean().item() / e.BOLTZMANN / e.TEMPERATURE]
"""


@pytest.mark.engine
def test_true_dynamics_keeps_its_energy_with_the_square_of_the_step(truths: Any) -> None:
    errors, whole, momentum, end, kinetic = truths["verlet"]
    assert whole
    assert [a / b for a, b in itertools.pairwise(errors)] == pytest.approx([4, 4], rel=0.2)
    assert momentum < 1e-12
    assert end == pytest.approx(10.0)
    assert kinetic == pytest.approx(
        3 * (9 - 1) / 2, rel=0.02
    )  # one third of kT/2 each, less the whole's


TRUTHS["langevin"] = """
class Springs:  # each atom on a spring of its own: the variance of a coordinate is kT / k
    def __call__(self, x): return 2.0 * (x ** 2).sum((1, 2)), -4.0 * x
molecule = replace(e.MOLECULES["methanol"], rest=((0.0, 0.0, 0.0),) * 6)
frames = e.langevin(Springs(), molecule, replace(scale, settle=1500, apart=50), 600, 1)
x = torch.stack(frames)
answer = [4.0 * x.var().item() / (e.BOLTZMANN * e.TEMPERATURE), x.numel()]
"""


@pytest.mark.engine
def test_configurations_are_those_of_the_temperature(truths: Any) -> None:
    """Of six atoms on equal springs five sixths of the variance are left without the mean place."""
    ratio, _ = truths["langevin"]
    assert ratio == pytest.approx(5 / 6, rel=0.03)


TRUTHS["model"] = """
answer = {}
for degree, order, rounds in ((2, 3, 2), (1, 2, 3), (0, 1, 1), (3, 2, 2)):
    e.L_MAX, e.CORRELATION, e.LAYERS = degree, order, rounds
    study = studies["ethanol"]
    torch.manual_seed(0)
    model = e.Mace(study.molecule, e.SCALES["smoke"], 1.0, 1.0)
    x = study.split.test.x[:2]
    energy, force = model.force(x)
    q, shift = e.rotation(source), torch.randn(3, generator=source)
    mirror = torch.diag(torch.tensor([1.0, 1.0, -1.0])) @ q
    order_of = [0, 1, 2, 4, 5, 3, 7, 6, 8]  # hydrogens of a carbon change places
    turned, mirrored, moved, swapped = (model.force(y) for y in (x @ q.T, x @ mirror.T, x + shift, x[:, order_of]))
    answer[f"{degree}{order}{rounds}"] = {
        "gradient": size(force + slopes(model, x)) / size(force),
        "rotation": size(turned[1] - force @ q.T) / size(force), "mirror": size(mirrored[1] - force @ mirror.T) / size(force),
        "translation": size(moved[1] - force) / size(force), "permutation": size(swapped[1] - force[:, order_of]) / size(force),
        "energy": max(size(y[0] - energy) for y in (turned, mirrored, moved, swapped)),
        "far": size(force), "told": e.turned(model.force, x),
    }
e.L_MAX, e.CORRELATION, e.LAYERS = 2, 3, 2
"""


@pytest.mark.engine
def test_forces_are_the_gradient_and_turn_shift_mirror_and_swap_with_the_molecule(
    truths: Any,
) -> None:
    for told in truths["model"].values():
        assert told.pop("far") > 1e-3
        assert told.pop("gradient") < 1e-6
        assert max(told.values()) < 1e-10, told


TRUTHS["product"] = """
inside = e.degrees(3, 2)
ours = e.Product(inside, inside)
paths, weights = [], []
for k, (_, c) in enumerate(inside):
    for i, (_, a) in enumerate(inside):
        for j, (_, b) in enumerate(inside):
            if c in a * b:
                paths.append((i, j, k, "uuu", True))
theirs = o3.TensorProduct(inside, inside, inside, paths, shared_weights=True, internal_weights=False,
                          irrep_normalization="component", path_normalization="element")
x, y = inside.randn(7, -1), inside.randn(7, -1)
one = e.by_degree(ours(e.by_channel(x, inside), e.by_channel(y, inside)), inside)
other = theirs(x, y, ours.weight.flatten())
arm = torch.randn(5, 3, generator=source)
unit = arm / arm.norm(dim=1, keepdim=True)
harmonics = o3.spherical_harmonics(e.degrees(1, 2), arm, normalize=True, normalization="component")
px, py, pz = unit.unbind(1)
closed = torch.stack([torch.ones(5), *(math.sqrt(3) * p for p in (px, py, pz)), math.sqrt(15) * px * pz, math.sqrt(15) * px * py,
                      math.sqrt(5) * (py ** 2 - (px ** 2 + pz ** 2) / 2), math.sqrt(15) * py * pz, math.sqrt(15) / 2 * (pz ** 2 - px ** 2)], dim=1)
answer = [size(one - other), size(one), size(harmonics - closed), size(e.by_degree(e.by_channel(x, inside), inside) - x)]
"""


@pytest.mark.engine
def test_the_product_is_that_of_e3nn_and_its_harmonics_are_in_closed_form(truths: Any) -> None:
    error, largest, harmonics, there_and_back = truths["product"]
    assert error < 1e-12 * max(1.0, largest)
    assert harmonics < 1e-12
    assert there_and_back == 0


TRUTHS["cutoff"] = """
e.L_MAX, e.CORRELATION, e.LAYERS = 2, 3, 1
pair = e.Molecule(("C", "O", "H"), ((0, 1), (0, 2)), ())
torch.manual_seed(0)
model = e.Mace(pair, e.SCALES["smoke"], 0.0, 1.0)
def at(d): return torch.tensor([[[0.0, 0, 0], [1.2, 0, 0], [0, d, 0]]])
alone = model(at(50.0)).item()
answer = [abs(model(at(d)).item() - alone) for d in (3.0, 3.9, 3.999, 4.0, 4.5, 9.0)] + [size(model.force(at(4.2))[1][0, 2])]
e.LAYERS = 2
"""


@pytest.mark.engine
def test_a_neighbour_leaves_smoothly_and_sends_nothing_from_beyond_the_cutoff(truths: Any) -> None:
    *near, at, beyond, far, force = truths["cutoff"]
    assert near[0] > near[1] > near[2] > 0
    assert near[2] < 1e-6 * near[0]
    assert max(at, beyond, far, force) < 1e-12
    assert math.isfinite(force)
