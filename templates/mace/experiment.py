"""python experiment.py --out_dir=run_0

A potential for one molecule, learned by equivariant message passing of higher body order, after MACE
(Batatia et al. 2022), and short molecular dynamics with it. Features of atoms are scalars, vectors and
tensors that turn with the molecule (e3nn); an atom gathers its neighbours, multiplies what it gathered
with itself up to CORRELATION times, and passes the result on. Energies are sums over atoms, and forces
their exact negative gradient.

The molecules are labelled by a classical potential that is written below: bonds, angles, torsions and
Lennard-Jones pairs. Configurations come from Langevin dynamics with it. So the truth is known
everywhere, also where the learned dynamics goes. At full scale every /data/rmd17/NAME.xyz (extended
XYZ, kcal/mol) is a data set too, mounted by `--data DIR` with DIR/rmd17/NAME.xyz.

Training, validation (chooses the state of the model) and test configurations (choose nothing) are of
different trajectories; those of a file are of different times, with a gap between them.

Units: Angstrom, femtosecond, electronvolt, atomic mass unit; errors are reported in thousandths of eV.

Writes into out_dir
  final_info.json  {data set: {"means": {metric_mean: x}, "stderrs": {metric_stderr: x},
                               "final_info_dict": {metric: [x per seed]}}}
  curves.json      {data set: {"step": [...], "val_force_mae", "val_energy_mae": [[x per step] per seed]}}
  dynamics.json    {data set: {"time": [...], "drift", "whole": [[x per time] per seed],
                               "distance": [...], "learned", "true": [[density] per seed]}}

AISCI_SCALE=full (default) is the study; smoke is the same program made small, and short is the full
size for 20 updates, with a made-up file in the format of the mounted ones.
"""

import itertools
import math
import os
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

# Before torch is imported: cuBLAS then repeats its sums in one order.
os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

import e3nn
import numpy as np
import torch
from common import Metrics, check_apart, counter, out_dir, summarise, told, write_results
from e3nn import o3
from torch import nn

# --------------------------------------------------------------------------------------------------
# What an idea may turn. Each constant is assigned once, here, as a plain number.

L_MAX = 2  # highest degree of features that turn with the molecule; 0 has distances only
CORRELATION = 3  # neighbours that one product of features joins; messages have one atom more
LAYERS = 2  # rounds of message passing
CUTOFF = 4.0  # Angstrom, the distance to which atoms are neighbours
CHANNELS = 1.0  # times the channels of the scale
FORCE_WEIGHT = 1.0  # of the squared error of forces beside that of the energy per atom
LEARNING_RATE = 0.01  # of Adam, at the start of the cosine; three times that at smoke
TRAIN_SHARE = 1.0  # of the training configurations that are used
TEMPERATURE = 500.0  # kelvin, of the configurations and of the dynamics

# --------------------------------------------------------------------------------------------------
# Sizes


@dataclass(frozen=True)
class Scale:
    seeds: tuple[int, ...]
    molecules: tuple[str, ...]  # labelled by the classical potential
    walkers: tuple[int, int, int]  # trajectories to train on, to choose by and to test on
    frames: int  # configurations of a trajectory
    settle: int  # steps of 0.5 fs before the first of them
    apart: int  # steps between two of them
    channels: int
    updates: int
    batch: int
    rate: float  # times LEARNING_RATE
    eval_every: int
    runs: int  # trajectories of the dynamics
    steps: int  # of 0.5 fs each
    threads: int  # of a CPU run; fixed, because the order of its sums depends on it
    mounted: bool  # whether /data/rmd17 is looked for
    made: bool = False  # a generated file takes its place


SCALES = {
    "full": Scale(
        seeds=(1337, 1338, 1339), molecules=("methanol", "ethanol"), walkers=(95, 5, 50), frames=10,
        settle=2000, apart=200, channels=16, updates=5000, batch=10, rate=1.0, eval_every=250, runs=16,
        steps=10_000, threads=1, mounted=True,
    ),
    "smoke": Scale(
        seeds=(1337, 1338, 1339), molecules=("methanol",), walkers=(20, 5, 20), frames=5,
        settle=400, apart=40, channels=8, updates=140, batch=10, rate=3.0, eval_every=20,
        runs=10, steps=300, threads=1, mounted=False,
    ),
}  # fmt: skip
SCALES["short"] = replace(
    SCALES["full"], seeds=(1337,), walkers=(10, 2, 4), settle=400, apart=40, updates=20,
    eval_every=20, runs=4, steps=100, made=True,
)  # fmt: skip

STEP = 0.5  # femtoseconds
FRICTION = 0.02  # per femtosecond, while configurations are drawn
BOLTZMANN = 8.617333e-5  # eV per kelvin
ACCELERATION = 9.648533e-3  # of 1 eV/Angstrom on 1 atomic mass unit, in Angstrom per fs squared
KCAL = 0.04336411  # eV in a kcal/mol
BROKEN = 0.5  # Angstrom by which a bond is longer or shorter than at rest when it counts as broken
RECORDS = 50  # times at which the dynamics is looked at
BINS = 60  # of a distribution of distances, from 0.5 to 5.5 Angstrom
MASSES = {"H": 1.008, "C": 12.011, "N": 14.007, "O": 15.999}
ELEMENTS = tuple(MASSES)
RADII = {"H": 0.31, "C": 0.76, "N": 0.71, "O": 0.66}  # covalent, Angstrom

torch.set_default_dtype(torch.float64)  # energies of long trajectories need the digits
e3nn.set_optimization_defaults(
    jit_mode="eager"
)  # compiling costs more than it saves at these sizes

# --------------------------------------------------------------------------------------------------
# Molecules, and the potential that labels them


@dataclass(frozen=True)
class Molecule:
    symbols: tuple[str, ...]
    bonds: tuple[tuple[int, int], ...]
    rest: tuple[tuple[float, float, float], ...] = ()  # a configuration at rest, Angstrom

    @property
    def masses(self) -> torch.Tensor:
        return torch.tensor([MASSES[s] for s in self.symbols])[:, None]


MOLECULES = {
    "methanol": Molecule(
        tuple("COHHHH"), ((0, 1), (0, 2), (0, 3), (0, 4), (1, 5)),
        (
            (-0.363, -0.010, 0.000), (0.938, -0.553, 0.000), (-1.105, -0.808, 0.000),
            (-0.515, 0.607, -0.885), (-0.515, 0.607, 0.885), (1.560, 0.158, 0.000),
        ),
    ),
    "ethanol": Molecule(
        tuple("CCOHHHHHH"),
        ((0, 1), (1, 2), (0, 3), (0, 4), (0, 5), (1, 6), (1, 7), (2, 8)),
        (
            (-0.896, -0.157, -0.009), (0.488, 0.500, 0.002), (1.459, -0.417, -0.452),
            (-1.659, 0.540, 0.339), (-1.172, -0.477, -1.014), (-0.922, -1.032, 0.642),
            (0.498, 1.380, -0.642), (0.747, 0.828, 1.009), (1.457, -1.166, 0.125),
        ),
    ),
}  # fmt: skip

# In kcal/mol, Angstrom and degrees, as OPLS-AA has them for alcohols; there are no charges here.
# h is a hydrogen on carbon, o one on oxygen.
BOND = {"CC": (268, 1.529), "CO": (320, 1.410), "Ch": (340, 1.090), "Oo": (553, 0.945)}
ANGLE = {
    "CCO": (50, 109.5), "CCh": (37.5, 110.7), "OCh": (35, 109.5), "hCh": (33, 107.8),
    "COo": (55, 108.5),
}  # fmt: skip
TORSION = {
    "CCOo": (-0.356, -0.174, 0.492), "hCCh": (0, 0, 0.300), "hCCO": (0, 0, 0.468),
    "hCOo": (0, 0, 0.450),
}  # fmt: skip
SIZE = {"C": (0.066, 3.5), "O": (0.17, 3.12), "h": (0.03, 2.5), "o": (0.0, 0.0)}  # Lennard-Jones


def chains(molecule: Molecule, length: int) -> list[tuple[int, ...]]:
    """All chains of that many bonded atoms, each in one direction only."""
    near: dict[int, list[int]] = {i: [] for i in range(len(molecule.symbols))}
    for i, j in molecule.bonds:
        near[i].append(j)
        near[j].append(i)
    found = [(i,) for i in near]
    for _ in range(length - 1):
        found = [(*c, j) for c in found for j in near[c[-1]] if j not in c]
    return sorted(c for c in found if c[0] < c[-1])


def kinds(molecule: Molecule) -> list[str]:
    """The kind of each atom: a hydrogen is named by what it is bonded to."""
    of = list(molecule.symbols)
    for i, j in molecule.bonds:
        for one, other in ((i, j), (j, i)):
            if of[one] == "H":
                of[one] = "o" if molecule.symbols[other] == "O" else "h"
    return of


def parameters(
    table: dict[str, tuple[float, ...]], of: list[str], chain: tuple[int, ...]
) -> list[float]:
    name = "".join(of[i] for i in chain)
    return [float(x) for x in table[name if name in table else name[::-1]]]


class Classical:
    """The potential of a molecule: energies (n,) in eV of positions (n, atoms, 3) in Angstrom."""

    def __init__(self, molecule: Molecule) -> None:
        of = kinds(molecule)
        self.tables = []
        for length, table in ((2, BOND), (3, ANGLE), (4, TORSION)):
            found = chains(molecule, length)
            values = [parameters(table, of, c) for c in found]
            self.tables.append((torch.tensor(found).T, torch.tensor(values).T))
        apart = {frozenset((c[0], c[-1])): n for n in (4, 3, 2) for c in chains(molecule, n)}
        every = [(i, j) for j in range(len(of)) for i in range(j)]
        pairs = [p for p in every if apart.get(frozenset(p), 5) >= 4]
        self.pairs = torch.tensor(pairs).T
        sizes = [(SIZE[of[i]], SIZE[of[j]], apart.get(frozenset((i, j)), 5)) for i, j in pairs]
        depth = [math.sqrt(a[0] * b[0]) * (0.5 if n == 4 else 1.0) for a, b, n in sizes]
        self.depth = torch.tensor(depth)
        self.width = torch.tensor([math.sqrt(a[1] * b[1]) for a, b, _ in sizes])

    def energy(self, x: torch.Tensor) -> torch.Tensor:
        (bonds, (k, r)), (angles, (k_angle, angle)), (torsions, (v1, v2, v3)) = self.tables
        total = (k * ((x[:, bonds[0]] - x[:, bonds[1]]).norm(dim=-1) - r) ** 2).sum(-1)
        a, b = x[:, angles[0]] - x[:, angles[1]], x[:, angles[2]] - x[:, angles[1]]
        sine, cosine = torch.linalg.cross(a, b).norm(dim=-1), (a * b).sum(-1)
        total = total + (k_angle * (torch.atan2(sine, cosine) - torch.deg2rad(angle)) ** 2).sum(-1)
        first, second, third, last = (x[:, one] for one in torsions)
        one = torch.linalg.cross(second - first, third - second)
        two = torch.linalg.cross(third - second, last - third)
        c = (one * two).sum(-1) / (one.norm(dim=-1) * two.norm(dim=-1))
        waves = v1 * (1 + c) + v2 * (2 - 2 * c**2) + v3 * (1 + 4 * c**3 - 3 * c)
        total = total + waves.sum(-1) / 2
        far = (x[:, self.pairs[0]] - x[:, self.pairs[1]]).norm(dim=-1)
        sixth = (self.width / far) ** 6
        return (total + (4 * self.depth * (sixth**2 - sixth)).sum(-1)) * KCAL

    def __call__(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return energy_and_forces(self.energy, x)


Force = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]


def energy_and_forces(
    energy: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, *, learn: bool = False
) -> tuple[torch.Tensor, torch.Tensor]:
    """Energies, and forces as their negative gradient; with ``learn`` both can be differentiated."""
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        found = energy(x)
        (slope,) = torch.autograd.grad(found.sum(), x, create_graph=learn)
    return (found, -slope) if learn else (found.detach(), -slope.detach())


# --------------------------------------------------------------------------------------------------
# Dynamics


def thermal(masses: torch.Tensor, runs: int, source: torch.Generator) -> torch.Tensor:
    """Velocities of TEMPERATURE, in Angstrom per fs, without motion of the whole."""
    scale = (BOLTZMANN * TEMPERATURE * ACCELERATION / masses).sqrt()
    v = torch.randn(runs, len(masses), 3, generator=source).to(masses.device) * scale
    return v - (v * masses).sum(1, keepdim=True) / masses.sum()


@torch.no_grad()
def langevin(
    force: Force, molecule: Molecule, scale: Scale, walkers: int, seed: int
) -> list[torch.Tensor]:
    """Configurations of independent trajectories: one (walkers, atoms, 3) for each frame.

    Kicks around a drift around a bath (BAOAB, Leimkuhler and Matthews 2013).
    """
    source = torch.Generator().manual_seed(seed)
    masses, x = molecule.masses, torch.tensor(molecule.rest).repeat(walkers, 1, 1)
    v = thermal(masses, walkers, source)
    keep = math.exp(-FRICTION * STEP)
    noise = ((1 - keep**2) * BOLTZMANN * TEMPERATURE * ACCELERATION / masses).sqrt()
    found, f = [], force(x)[1]
    for step in range(1, scale.settle + scale.apart * (scale.frames - 1) + 1):
        v = v + STEP / 2 * ACCELERATION * f / masses
        x = x + STEP / 2 * v
        v = keep * v + noise * torch.randn(x.shape, generator=source)
        x = x + STEP / 2 * v
        f = force(x)[1]
        v = v + STEP / 2 * ACCELERATION * f / masses
        if step >= scale.settle and (step - scale.settle) % scale.apart == 0:
            found.append(x - x.mean(1, keepdim=True))
    return found


@dataclass(frozen=True)
class Motion:
    """Of trajectories at constant energy, at each record."""

    times: list[float]
    positions: torch.Tensor  # (records, runs, atoms, 3)
    energies: torch.Tensor  # (records, runs), kinetic energy and that of the force's own potential
    whole: torch.Tensor  # (records, runs), whether no bond has broken so far

    @property
    def drift(self) -> torch.Tensor:
        """Distance of the energy from that at the start, eV; of a broken run the last before it."""
        return (self.energies - self.energies[0]).abs()


@torch.no_grad()
def move(
    force: Force,
    x: torch.Tensor,
    v: torch.Tensor,
    molecule: Molecule,
    steps: int,
    step: float = STEP,
) -> Motion:
    """Velocity Verlet. A run whose bond breaks stands still from then on."""
    masses = molecule.masses.to(x.device)
    bonds = torch.tensor(molecule.bonds).T
    rest = torch.tensor(molecule.rest, device=x.device)
    length = (rest[bonds[0]] - rest[bonds[1]]).norm(dim=-1)
    whole = torch.ones(len(x), dtype=torch.bool, device=x.device)
    energy, f = force(x)
    every = max(1, steps // RECORDS)
    places, energies, wholes = [], [], []
    total = energy
    for count in range(steps + 1):
        now = (x[:, bonds[0]] - x[:, bonds[1]]).norm(dim=-1)
        whole = whole & ((now - length).abs() < BROKEN).all(1)  # not a number is broken too
        kinetic = (masses * v**2).sum((1, 2)) / 2 / ACCELERATION
        total = torch.where(whole, energy + kinetic, total)
        if count % every == 0:
            places.append(x)
            energies.append(total)
            wholes.append(whole)
        if count == steps or not whole.any():
            break
        going = whole[:, None, None]
        v = torch.where(going, v + step / 2 * ACCELERATION * f / masses, 0.0)
        x = torch.where(going, x + step * v, x)
        energy, f = force(x)
        v = torch.where(going, v + step / 2 * ACCELERATION * f / masses, 0.0)
    ends = (x, total, whole)
    for records, end in zip((places, energies, wholes), ends, strict=True):
        records.extend([end] * (steps // every + 1 - len(records)))  # all have broken: it stays so
    times = [i * every * step for i in range(len(places))]
    return Motion(times, torch.stack(places), torch.stack(energies), torch.stack(wholes))


def distances(places: torch.Tensor) -> np.ndarray:
    """The density of the distances between any two atoms of configurations (..., atoms, 3)."""
    atoms = places.shape[-2]
    i, j = torch.triu_indices(atoms, atoms, 1)
    far = (places[..., i, :] - places[..., j, :]).norm(dim=-1).cpu().numpy()
    return np.histogram(far.ravel(), BINS, (0.5, 5.5))[0] / far.size / (5.0 / BINS)


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """The integral of the absolute difference of two densities, from 0 to 2."""
    return float(np.abs(one - other).sum() * 5.0 / BINS)


# --------------------------------------------------------------------------------------------------
# Data


@dataclass(frozen=True)
class Frames:
    x: torch.Tensor  # (n, atoms, 3), Angstrom
    energy: torch.Tensor  # (n,), eV
    force: torch.Tensor  # (n, atoms, 3), eV per Angstrom
    trajectory: torch.Tensor  # (n,), the number of the trajectory, or of the stretch of time

    def at(self, which: torch.Tensor | slice) -> "Frames":
        return Frames(self.x[which], self.energy[which], self.force[which], self.trajectory[which])

    def to(self, device: str) -> "Frames":
        return Frames(
            self.x.to(device), self.energy.to(device), self.force.to(device), self.trajectory
        )

    def prints(self) -> list[bytes]:
        """The distances of each configuration, which turning and shifting leave as they are."""
        return [far.tobytes() for far in torch.cdist(self.x, self.x).cpu().numpy().round(6)]


@dataclass(frozen=True)
class Split:
    known: Frames  # trained on
    validation: Frames  # chooses the state of the model
    test: Frames  # chooses nothing


@dataclass(frozen=True)
class Study:
    molecule: Molecule
    split: Split
    truth: Force | None  # of what labelled the configurations, if it can be asked again


def generate(name: str, scale: Scale, seed: int) -> Study:
    """A molecule, labelled by the classical potential, and configurations of its own trajectories."""
    molecule = MOLECULES[name]
    truth = Classical(molecule)
    x = torch.stack(langevin(truth, molecule, scale, sum(scale.walkers), seed), dim=1).flatten(0, 1)
    number = torch.arange(sum(scale.walkers)).repeat_interleave(scale.frames)
    every = Frames(x, *truth(x), number)
    ends = [scale.frames * n for n in np.cumsum((0, *scale.walkers))]
    known, validation, test = (every.at(slice(i, j)) for i, j in itertools.pairwise(ends))
    return Study(molecule, Split(few(known, seed), validation, test), truth)


def few(known: Frames, seed: int) -> Frames:
    """TRAIN_SHARE of the training configurations, in an order of their own."""
    source = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(known.x), generator=source)
    return known.at(order[: max(1, round(TRAIN_SHARE * len(order)))])


def check_split(split: Split) -> None:
    """Stop if a test result could come from memory: one trajectory, or one configuration, in two parts."""
    parts = {"training": split.known, "validation": split.validation, "test": split.test}
    numbers = {name: [b"%d" % n for n in part.trajectory.tolist()] for name, part in parts.items()}
    check_apart(numbers, "trajectories")
    check_apart({name: part.prints() for name, part in parts.items()}, "configurations")


DATA = Path("/data")
PARTS = (1000, 50, 1000)  # configurations of a file for training, validation and test, at most
GAP = 0.05  # of a file, left out between two parts


def files(root: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted((root / "rmd17").glob("*.xyz"))}


def read_xyz(path: Path) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, np.ndarray]:
    """Symbols, positions, energies and forces of a file of extended XYZ in kcal/mol and Angstrom.

    Each frame is a line with the number of atoms, a line with `energy=...`, and a line for each atom:
    symbol, three coordinates, three components of the force.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    symbols: tuple[str, ...] = ()
    places, energies, at, right = [], [], 0, True
    while right and at < len(lines) and lines[at].strip():
        try:
            count = int(lines[at])
            says = dict(word.split("=", 1) for word in lines[at + 1].split() if "=" in word)
            energies.append(float(says["energy"]))
            rows = [line.split() for line in lines[at + 2 : at + 2 + count]]
            places.append([[float(row[n]) for n in range(1, 7)] for row in rows])
            found = tuple(row[0] for row in rows)
        except (ValueError, KeyError, IndexError):
            right = False
            break
        symbols = symbols or found
        right = len(rows) == count and found == symbols and not set(found) - set(MASSES)
        right = right and bool(np.isfinite([energies[-1], *np.ravel(places[-1])]).all())
        at += (count + 2) * right
    if not right or not places:
        raise SystemExit(
            f"{path}:{at + 1}: this frame is not what was expected: the number of atoms; a line with "
            f"energy=E in kcal/mol; for each atom a symbol of {', '.join(MASSES)}, three coordinates "
            "and three components of the force in kcal/mol/Angstrom; the same atoms in every frame"
        )
    values = np.array(places)
    return symbols, values[:, :, :3], np.array(energies), values[:, :, 3:]


def load(path: Path, seed: int) -> Study:
    """A mounted file: its first stretch of time is trained on, the last one tested on."""
    symbols, x, energy, force = read_xyz(path)
    if len(x) < 40:
        raise SystemExit(f"{path} has {len(x)} frames, too few to split")
    near = np.linalg.norm(x[0][:, None] - x[0][None], axis=-1)
    reach = np.array([RADII[s] for s in symbols])
    bonded = near < 1.25 * (reach[:, None] + reach[None])
    bonds = tuple((i, j) for j in range(len(symbols)) for i in range(j) if bonded[i, j])
    molecule = Molecule(symbols, bonds, tuple(map(tuple, x.mean(0) * 0 + x[0])))
    ends = [0, *(int(len(x) * share) for share in (0.6, 0.6 + GAP, 0.7, 0.7 + GAP)), len(x)]
    stretch = torch.tensor(np.repeat(np.arange(5), np.diff(ends)))
    every = Frames(
        torch.tensor(x), torch.tensor(energy * KCAL), torch.tensor(force * KCAL), stretch
    )
    source = torch.Generator().manual_seed(seed)
    parts = []
    for part, most in zip((0, 2, 4), PARTS, strict=True):
        found = every.at(stretch == part)
        parts.append(found.at(torch.randperm(len(found.x), generator=source)[:most]))
    return Study(molecule, Split(few(parts[0], seed), parts[1], parts[2]), None)


def make(root: Path) -> None:
    """A file in the format of the mounted ones: methanol, labelled by the classical potential."""
    molecule = MOLECULES["methanol"]
    truth = Classical(molecule)
    scale = replace(SCALES["smoke"], frames=60)
    x = torch.cat(langevin(truth, molecule, scale, 4, 1))
    energy, force = truth(x)
    (root / "rmd17").mkdir()
    with (root / "rmd17" / "made.xyz").open("w") as out:
        for places, total, pulls in zip(x / 1.0, energy / KCAL, force / KCAL, strict=True):
            out.write(
                f"{len(places)}\nProperties=species:S:1:pos:R:3:forces:R:3 energy={total:.8f}\n"
            )
            for symbol, place, pull in zip(molecule.symbols, places, pulls, strict=True):
                numbers = [*place.tolist(), *pull.tolist()]
                out.write(" ".join([symbol, *(f"{x:.8f}" for x in numbers)]) + "\n")


# --------------------------------------------------------------------------------------------------
# The model


def degrees(channels: int, highest: int) -> o3.Irreps:
    """Channels of features of each degree, with the parity of a polynomial of that degree."""
    return o3.Irreps([(channels, (n, (-1) ** n)) for n in range(highest + 1)])


def pairing(one: o3.Irreps, other: o3.Irreps, reach: o3.Irreps) -> o3.TensorProduct:
    """Every product of a degree of ``one`` and one of ``other`` that gives a degree of ``reach``.

    Each path to a degree is kept apart, and its weights are given with the features.
    """
    ends = [(i, j, mul, c) for i, (mul, a) in enumerate(one) for j, (_, b) in enumerate(other)
            for _, c in reach if c in a * b]  # fmt: skip
    paths = [(i, j, k, "uvu", True) for k, (i, j, _, _) in enumerate(ends)]
    out = o3.Irreps([(mul, c) for _, _, mul, c in ends])
    return o3.TensorProduct(one, other, out, paths, shared_weights=False, internal_weights=False)


def by_channel(h: torch.Tensor, irreps: o3.Irreps) -> torch.Tensor:
    """Features (..., all) as (..., channels, components), the degrees behind each other."""
    parts = [
        h[..., s].unflatten(-1, (mul, ir.dim))
        for (mul, ir), s in zip(irreps, irreps.slices(), strict=True)
    ]
    return torch.cat(parts, dim=-1)


def by_degree(h: torch.Tensor, irreps: o3.Irreps) -> torch.Tensor:
    """The other way round: (..., channels, components) as e3nn keeps features."""
    parts = h.split([ir.dim for _, ir in irreps], dim=-1)
    return torch.cat([part.flatten(-2) for part in parts], dim=-1)


class Product(nn.Module):
    """Features times features, channel by channel, over every path that gives a degree of ``reach``.

    The same as e3nn's product in its mode `uuu`, in one contraction; with many short paths that is
    several times faster. Features are (..., channels, components).
    """

    def __init__(self, inside: o3.Irreps, reach: o3.Irreps) -> None:
        super().__init__()
        channels, one, out = inside[0].mul, [ir for _, ir in inside], [ir for _, ir in reach]
        starts = [sum(ir.dim for ir in one[:i]) for i in range(len(one) + 1)]
        tables = []
        for k, c in enumerate(out):
            paths = [(i, j) for i, a in enumerate(one) for j, b in enumerate(one) if c in a * b]
            for i, j in paths:
                table = torch.zeros(starts[-1], starts[-1], sum(ir.dim for ir in out))
                ends = [slice(starts[n], starts[n + 1]) for n in (i, j)]
                size = math.sqrt(c.dim / len(paths))
                table[ends[0], ends[1], starts[k] : starts[k + 1]] = size * o3.wigner_3j(
                    one[i].l, one[j].l, c.l
                )
                tables.append(table)
        self.register_buffer("paths", torch.stack(tables))
        self.weight = nn.Parameter(torch.randn(len(tables), channels))

    def forward(self, one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        table = torch.einsum("pu,pabc->uabc", self.weight, self.paths).flatten(1, 2)
        pairs = (one[..., :, None] * other[..., None, :]).flatten(-2)
        return torch.einsum("...uk,ukc->...uc", pairs, table)


class Layer(nn.Module):
    """One round: gather neighbours, multiply what is gathered with itself, mix, add what was there."""

    def __init__(self, before: o3.Irreps, after: o3.Irreps, channels: int, around: int) -> None:
        super().__init__()
        inside = degrees(channels, L_MAX)
        self.around = around
        self.first = o3.Linear(before, before)
        self.inside, self.reaches = inside, []
        self.gather = pairing(before, degrees(1, L_MAX), inside)
        self.radial = nn.Sequential(
            nn.Linear(WAVES, 16), nn.SiLU(), nn.Linear(16, self.gather.weight_numel, bias=False)
        )
        self.mix = o3.Linear(self.gather.irreps_out.simplify(), inside)
        self.products = nn.ModuleList()
        for order in range(2, CORRELATION + 1):
            self.reaches.append(after if order == CORRELATION else inside)
            self.products.append(Product(inside, self.reaches[-1]))
        self.ends = nn.ModuleList([o3.Linear(reach, after) for reach in (inside, *self.reaches)])
        self.stay = o3.FullyConnectedTensorProduct(before, f"{len(ELEMENTS)}x0e", after)

    def forward(self, h: torch.Tensor, turn: torch.Tensor, near: torch.Tensor, who: torch.Tensor,
                other: torch.Tensor) -> torch.Tensor:  # fmt: skip
        """h (n, atoms, ·); of pairs (n, atoms, atoms - 1, ·): harmonics ``turn``, waves ``near``."""
        sent = self.first(h)[:, other]
        gathered = self.gather(sent, turn, self.radial(near)).sum(2) / math.sqrt(self.around)
        one = self.mix(gathered)
        message = self.ends[0](one)
        power = one = by_channel(one, self.inside)
        for product, reach, end in zip(self.products, self.reaches, self.ends[1:], strict=True):
            power = product(power, one)
            message = message + end(by_degree(power, reach))
        return message + self.stay(h, who)


WAVES = 8  # Bessel functions of a distance


class Mace(nn.Module):
    """Energies (n,) in eV of positions (n, atoms, 3), for the atoms of one molecule."""

    def __init__(self, molecule: Molecule, scale: Scale, shift: float, unit: float) -> None:
        super().__init__()
        atoms, channels = len(molecule.symbols), max(1, round(CHANNELS * scale.channels))
        kind = torch.tensor([ELEMENTS.index(s) for s in molecule.symbols])
        self.shift, self.unit = shift, unit  # eV for the whole molecule; eV of one atom's share
        self.register_buffer("who", nn.functional.one_hot(kind, len(ELEMENTS)).double())
        others = [[j for j in range(atoms) if j != i] for i in range(atoms)]
        self.register_buffer("other", torch.tensor(others))
        self.register_buffer("waves", torch.arange(1, WAVES + 1) * math.pi / CUTOFF)
        self.begin = nn.Linear(len(ELEMENTS), channels, bias=False)
        passed = degrees(channels, min(L_MAX, 1))  # what rounds hand on: scalars and vectors
        scalars = degrees(channels, 0)
        ways = [scalars, *[passed] * (LAYERS - 1), scalars]
        pairs = itertools.pairwise(ways)
        self.layers = nn.ModuleList([Layer(a, b, channels, atoms - 1) for a, b in pairs])
        self.reads = nn.ModuleList([o3.Linear(way, "1x0e") for way in ways[1:-1]])
        self.last = nn.Sequential(nn.Linear(channels, 16), nn.SiLU(), nn.Linear(16, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        arm = x[:, self.other] - x[:, :, None]
        far = arm.norm(dim=-1, keepdim=True)
        turn = o3.spherical_harmonics(
            degrees(1, L_MAX), arm, normalize=True, normalization="component"
        )
        s = (far / CUTOFF).clamp(max=1)
        smooth = 1 - 21 * s**5 + 35 * s**6 - 15 * s**7  # two derivatives vanish at the cutoff
        near = math.sqrt(2 / CUTOFF) * (self.waves * far).sin() / far * smooth
        # A neighbour beyond the cutoff sends nothing: the radial network has a bias, hence the product.
        turn = turn * smooth
        who = self.who.expand(len(x), -1, -1)
        h, energy = self.begin(who), 0.0
        for i, layer in enumerate(self.layers):
            h = layer(h, turn, near, who, self.other)
            read = self.last if i == len(self.layers) - 1 else self.reads[i]
            energy = energy + read(h).sum((1, 2))
        return self.shift + self.unit * energy

    def force(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [energy_and_forces(self, part) for part in x.split(250)]
        return torch.cat([e for e, _ in parts]), torch.cat([f for _, f in parts])


def rotation(source: torch.Generator) -> torch.Tensor:
    """A random rotation, as a matrix."""
    q, r = torch.linalg.qr(torch.randn(3, 3, generator=source))
    q = q * r.diagonal().sign()
    return q * torch.linalg.det(q).sign()


def check_gradient(force: Force, x: torch.Tensor) -> None:
    """Stop if forces are not the negative gradient of the energy: no energy is conserved then."""
    source = torch.Generator().manual_seed(0)
    way, size = torch.randn(x.shape, generator=source).to(x.device), 1e-4
    slope = (force(x + size * way)[0] - force(x - size * way)[0]) / (2 * size)
    told_of = -(force(x)[1] * way).sum((1, 2))
    if not torch.allclose(slope, told_of, rtol=1e-3, atol=1e-3):
        raise SystemExit(
            f"forces are not the negative gradient of the energy: along one way it rises by "
            f"{slope[0]:.6g} eV/Angstrom, and the forces say {told_of[0]:.6g}"
        )


# --------------------------------------------------------------------------------------------------
# A potential of pairs alone, by least squares


def pair_force_mae(known: Frames, test: Frames, molecule: Molecule) -> float:
    """meV/Angstrom of the best sum over pairs of atoms, a curve for each two elements."""
    atoms = len(molecule.symbols)
    i, j = torch.triu_indices(atoms, atoms, 1)
    names = [
        "".join(sorted((molecule.symbols[a], molecule.symbols[b])))
        for a, b in zip(i, j, strict=True)
    ]
    sorts = sorted(set(names))
    places = torch.linspace(0.7, 5.0, 40)

    def columns(frames: Frames) -> torch.Tensor:
        """Forces (n, atoms, 3, sorts * places) of each curve's each part."""
        arm = frames.x[:, j] - frames.x[:, i]
        far = arm.norm(dim=-1)
        parts = (
            torch.exp(-(((far[..., None] - places) / 0.15) ** 2) / 2)[:, :, None]
            * (arm / far[..., None])[..., None]
        )
        found = torch.zeros(len(arm), atoms, 3, len(sorts), len(places))
        for pair, name in enumerate(names):
            which = sorts.index(name)
            found[:, i[pair], :, which] -= parts[:, pair]
            found[:, j[pair], :, which] += parts[:, pair]
        return found.flatten(3)

    matrix = columns(known).flatten(0, 2)
    normal = matrix.T @ matrix
    normal += 1e-6 * normal.diagonal().mean() * torch.eye(len(normal))
    curve = torch.linalg.solve(normal, matrix.T @ known.force.flatten())
    return 1000 * (columns(test) @ curve - test.force).abs().mean().item()


# --------------------------------------------------------------------------------------------------
# Training and measuring


@dataclass(frozen=True)
class Found:
    metrics: Metrics
    curve: dict[str, list[float]]
    dynamics: dict[str, list[float]]


def errors(force: Force, frames: Frames) -> tuple[float, float]:
    """Mean absolute errors: meV per atom, meV per Angstrom."""
    energy, pull = force(frames.x)
    each = (energy - frames.energy).abs().mean() / frames.x.shape[1]
    return 1000 * each.item(), 1000 * (pull - frames.force).abs().mean().item()


def learn(
    model: Mace, split: Split, scale: Scale, seed: int, advance: Callable[[], None]
) -> tuple[dict[str, list[float]], float]:
    """Train, and leave the state with the lowest error on validation; the curve and the seconds."""
    source = torch.Generator().manual_seed(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE * scale.rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, scale.updates)
    curve: dict[str, list[float]] = {"step": [], "val_force_mae": [], "val_energy_mae": []}
    known, atoms = split.known, split.known.x.shape[1]
    best: dict[str, torch.Tensor] = {}
    seconds = 0.0
    for step in range(scale.updates + 1):
        if step % scale.eval_every == 0 or step == scale.updates:
            energy, force = errors(model.force, split.validation)
            for name, value in zip(curve, (step, force, energy), strict=True):
                curve[name].append(value)
            if force <= min(curve["val_force_mae"]):
                best = {name: value.clone() for name, value in model.state_dict().items()}
        if step == scale.updates:
            break
        start = time.monotonic()
        which = torch.randint(len(known.x), (scale.batch,), generator=source)
        energy, force = energy_and_forces(model, known.x[which], learn=True)
        loss = (((energy - known.energy[which]) / (model.unit * atoms)) ** 2).mean()
        loss = loss + FORCE_WEIGHT * (((force - known.force[which]) / model.unit) ** 2).mean()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step()
        falling.step()
        seconds += time.monotonic() - start
        advance()
    model.load_state_dict(best)  # chosen on validation; test configurations come after it
    return curve, seconds


def simulate(
    force: Force, study: Study, scale: Scale, seed: int
) -> tuple[Metrics, dict[str, list[float]]]:
    """Dynamics with the learned forces, and with the true ones from the same starts if they are known."""
    test = study.split.test
    start = test.x[torch.arange(scale.runs) * (len(test.x) // scale.runs)]
    source = torch.Generator().manual_seed(seed + 1_000_000)
    masses = study.molecule.masses.to(start.device)
    v = thermal(masses, scale.runs, source)
    ours = move(force, start, v, study.molecule, scale.steps)
    atoms = len(study.molecule.symbols)
    found: Metrics = {
        "stable_time": ours.whole.double().mean().item() * ours.times[-1],
        "energy_drift": 1000 * ours.drift.amax(0).mean().item() / atoms,
    }
    learned = distances(ours.positions)
    if study.truth is None:
        true = distances(test.x)
    else:
        theirs = move(study.truth, start.cpu(), v.cpu(), study.molecule, scale.steps)
        again = move(
            study.truth,
            start.cpu(),
            thermal(masses.cpu(), scale.runs, source),
            study.molecule,
            scale.steps,
        )
        true = distances(theirs.positions)
        found["true_drift"] = 1000 * theirs.drift.amax(0).mean().item() / atoms
        found["distance_floor"] = difference(true, distances(again.positions))
    found["distance_error"] = difference(learned, true)
    middle = np.linspace(0.5, 5.5, BINS, endpoint=False) + 2.5 / BINS
    return found, {
        "time": ours.times,
        "drift": (1000 * ours.drift.mean(1) / atoms).tolist(),
        "whole": ours.whole.double().mean(1).tolist(),
        "distance": middle.round(4).tolist(),
        "learned": learned.tolist(),
        "true": true.tolist(),
    }


def turned(force: Force, x: torch.Tensor) -> float:
    """By how much of their size forces miss turning with the molecule; 0 of an equivariant model."""
    q = rotation(torch.Generator().manual_seed(0)).to(x.device)
    one, other = force(x)[1] @ q.T, force(x @ q.T)[1]
    return ((one - other).abs().max() / one.abs().max()).item()


def train(study: Study, scale: Scale, seed: int, device: str, advance: Callable[[], None]) -> Found:
    check_split(study.split)
    pairs = pair_force_mae(study.split.known, study.split.test, study.molecule)
    study = replace(study, split=Split(*(part.to(device) for part in vars(study.split).values())))
    known, test = study.split.known, study.split.test
    torch.manual_seed(seed)
    model = Mace(study.molecule, scale, known.energy.mean().item(), known.force.std().item()).to(
        device
    )
    before = errors(model.force, test)
    curve, seconds = learn(model, study.split, scale, seed, advance)
    check_gradient(model.force, test.x[:4])
    energy, force = errors(model.force, test)
    found, dynamics = simulate(model.force, study, scale, seed)
    metrics: Metrics = {
        "test_force_mae": force,
        "test_energy_mae": energy,
        "val_force_mae": min(curve["val_force_mae"]),
        "untrained_force_mae": before[1],
        "untrained_energy_mae": before[0],
        "pair_force_mae": pairs,
        **found,
        "rotation_error": turned(model.force, test.x[:4]),
        "parameters": float(sum(p.numel() for p in model.parameters())),
        "train_time": seconds,
    }
    return Found(metrics, curve, dynamics)


def gathered(found: list[dict[str, list[float]]], same: tuple[str, ...]) -> dict[str, list[object]]:
    """Curves of seeds side by side; those named in ``same`` are alike in all."""
    return {k: (found[0][k] if k in same else [one[k] for one in found]) for k in found[0]}


def main() -> None:
    scale = SCALES[os.environ.get("AISCI_SCALE", "full")]
    torch.set_num_threads(scale.threads)
    torch.use_deterministic_algorithms(mode=True)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    with tempfile.TemporaryDirectory() as made:
        if scale.made:
            make(Path(made))
        found_files = (
            files(Path(made) if scale.made else DATA) if scale.made or scale.mounted else {}
        )
        names = {**dict.fromkeys(scale.molecules), **found_files}
        if scale.mounted and not found_files:
            print(
                f"{DATA}/rmd17 has no .xyz file: only generated configurations are learned",
                flush=True,
            )
        advance = counter(len(names) * len(scale.seeds) * scale.updates)
        info, curves, dynamics = {}, {}, {}
        for name, path in names.items():
            found = [
                train(
                    load(path, seed) if path else generate(name, scale, seed),
                    scale,
                    seed,
                    device,
                    advance,
                )
                for seed in scale.seeds
            ]
            info[name] = summarise([one.metrics for one in found])
            curves[name] = gathered([one.curve for one in found], ("step",))
            dynamics[name] = gathered([one.dynamics for one in found], ("time", "distance"))
            told(name, info[name])
    write_results(out_dir(), final_info=info, curves=curves, dynamics=dynamics)


if __name__ == "__main__":
    main()
