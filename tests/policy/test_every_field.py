"""No key of a policy is read and not enforced: each is changed alone, and the change is seen.

``SHOWN`` says for every key how: in the container that the engine makes, by a probe in a running
one, by a whole run that the key ends, or because every other value is refused. A key that stands
in no row fails here, and so does one whose effect does not show.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from orchestrator.api.adapters import real_edges
from orchestrator.api.allowed_models import require_allowed_models
from orchestrator.api.data import staged
from orchestrator.core.errors import BadPolicy, ControlUnavailable, DiskFull, HostBusy, UserError
from orchestrator.editor.aider import ContainerEditor, ProcessEditor
from orchestrator.policy import seccomp
from orchestrator.policy.schema import BLOCKS, DESCRIPTIVE, SETTINGS
from tests.support import field_rig as rig
from tests.support.fewer import asked
from tests.support.field_rows import (
    Both,
    Ends,
    Keeps,
    Named,
    NoOther,
    Probe,
    Refused,
    Request,
    Shown,
    TooOld,
    Waits,
    Walked,
)
from tests.support.sample import some

MIB = 1 << 20


def staged_data(walked: Walked) -> None:
    """Read-only, a data set is mounted; with none it is refused: anew, and in a fork too."""
    folder = walked.folder / "data"
    (folder / "set").mkdir(parents=True)
    before = rig.base()
    without = rig.changed(before, "experiment.data", "none")
    data = staged(folder, before)
    assert [(one.name, one.folder) for one in data] == [("set", str(folder / "set"))]
    with pytest.raises(UserError, match="no data"):
        staged(folder, without)
    setup = replace(walked.setup, policy=without, data=data)
    with (
        pytest.raises(UserError, match="no data"),
        real_edges(setup, walked.bench.engine, "walk-data"),
    ):
        pass


def editor_on_host(walked: Walked) -> None:
    """A container attests an edit; a process has nothing to attest it with."""
    before = rig.base()
    attested = walked.edited(before)
    assert attested == (ContainerEditor, True)
    assert walked.edited(rig.changed(before, "editor.process", True)) == (ProcessEditor, False)  # noqa: FBT003  # the value in the file


def gpu_memory(walked: Walked) -> None:
    """More than the limit in use is killed; no GPU that is smaller is lent. Readings are scripted."""
    before = rig.changed(rig.base(), "experiment.gpus.count", 1)
    before = rig.changed(before, "experiment.gpus.memory", "2GiB")
    after = rig.changed(before, "experiment.gpus.memory", "512MiB")
    assert walked.on_gpu(before) == "finished"
    assert walked.on_gpu(after) == "out of gpu memory"
    with pytest.raises(ControlUnavailable, match="asks for"):
        walked.on_gpu(rig.changed(before, "experiment.gpus.memory", "64GiB"))


def models_allowed(walked: Walked) -> None:
    """A run that asks another model is refused before anything is asked."""
    before = replace(walked.setup, model="openai/gpt-4o", policy=rig.base())
    require_allowed_models(before)
    none = rig.changed(rig.base(), "model.allow", ["anthropic/*"])
    with pytest.raises(BadPolicy, match="openai/gpt-4o"):
        require_allowed_models(replace(before, policy=none))


def told_of_a_failure(walked: Walked) -> None:
    """tests/api/test_allowed_models.py shows what then reaches a model."""
    assert walked.setup.policy.tells_tails
    assert not rig.changed(rig.base(), "model.feedback", "verdict").tells_tails


ULIMIT, TMP = "HostConfig.Ulimits", "HostConfig.Tmpfs./tmp"
ONE_HOST = {"allow": ["api.example.org:443"]}


def fewer_calls() -> dict[str, Any]:
    """The shipped profile of system calls, less one."""
    profile: dict[str, Any] = seccomp.shipped_profile().normal()
    rules = [
        {**rule, "names": [name for name in rule["names"] if name != "chmod"]}
        for rule in profile["syscalls"]
    ]
    return {**profile, "syscalls": rules}


def of_container() -> dict[str, Shown]:
    """What every kind of container has."""
    return {
        "image": Request("aisci-storage", {"Image": "aisci-storage"}),
        "image_age": TooOld("1s"),
        "runtime": Request(
            "runsc",
            {"HostConfig.Runtime": "runsc", "HostConfig.SecurityOpt": "", "Entrypoint": ""},
        ),
        "user": Request("1000:1001", {"User": "1000:1001"}),
        "env": Request({"WALK": "1"}, {"Env.WALK": "1"}),
        "resources.cpus": Request(
            1, {"HostConfig.NanoCpus": "1000000000", "Env.OMP_NUM_THREADS": "1"}
        ),
        "resources.memory": Request(
            "256MiB",
            {"HostConfig.Memory": str(256 * MIB), "HostConfig.MemorySwap": str(256 * MIB)},
        ),
        "resources.pids": Request(48, {"HostConfig.PidsLimit": "48"}),
        "resources.shm": Request("8MiB", {"HostConfig.ShmSize": str(8 * MIB)}),
        "resources.open_files": Request(256, {f"{ULIMIT}.nofile": "256"}),
        "gpus.enforce": NoOther("hoped"),
        "time.wall": Probe("1s", "verdict", "finished", "timed out"),
        "time.cpu": Probe("0.3s", "verdict", "finished", "out of cpu time"),
        "time.grace": Probe(
            "10s", "run_1/saved", "left out", "home", rig.PATIENT, (("time.wall", "1s"),)
        ),
        "storage.workspace": Probe("8MiB", "12 MiB", "done", "No space left on device"),
        "storage.tmp": Request(
            "8MiB", {TMP: f"size={8 * MIB},nr_inodes=2000,mode=1777,nosuid,nodev,exec"}
        ),
        "storage.inodes": Both(
            (
                Request(400, {TMP: f"size={16 * MIB},nr_inodes=400,mode=1777,nosuid,nodev,exec"}),
                Probe(400, "600 files", "done", "No space left on device"),
            )
        ),
        "storage.file": Request("8MiB", {f"{ULIMIT}.fsize": str(8 * MIB)}),
        "seccomp": Request(fewer_calls(), {"HostConfig.SecurityOpt": ""}),
        "logs": Probe("64KiB", "verdict", "finished", "log flood"),
        "harvest.files": Probe(2, "files", "5", "2"),
        "harvest.bytes": Probe("100KiB", "run_1/large", "home", "left out"),
        "harvest.file": Probe("100KiB", "run_1/large", "home", "left out"),
        "harvest.depth": Probe(3, "run_1/a/b/deep", "home", "left out"),
    }


EXPERIMENTS_ONLY: dict[str, tuple[Shown, Shown]] = {
    "gpus.count": (
        Request(
            2,
            {
                "HostConfig.DeviceRequests": (
                    "Capabilities=[['gpu']] Count=0 DeviceIDs=['GPU-0', 'GPU-1'] Driver= Options="
                ),
                "Env.NVIDIA_VISIBLE_DEVICES": "GPU-0,GPU-1",
                "Env.NVIDIA_DRIVER_CAPABILITIES": "compute,utility",
            },
        ),
        Refused(1),
    ),
    "gpus.memory": (Named(gpu_memory), Refused("1GiB")),
    "network": (Probe(ONE_HOST, "proxy", "", "http://127.0.0.1:3128"), Refused(ONE_HOST)),
    "data": (Named(staged_data), Refused("read-only")),
}
"""For an experiment, and for the two other kinds, to which these are never given."""

SHOWN: dict[str, Shown] = {
    **{f"{kind}.{key}": row for kind in BLOCKS for key, row in of_container().items()},
    **{
        f"{kind}.{key}": rows[kind != "experiment"]
        for kind in BLOCKS
        for key, rows in EXPERIMENTS_ONLY.items()
    },
    "editor.process": Named(editor_on_host),
    "model.allow": Named(models_allowed),
    "model.feedback": Named(told_of_a_failure),
    "idea.wall": Ends("0.0001s"),
    "idea.gpu_time": Ends("0.0001s", gpus=1),
    "idea.budget.usd": Ends(0.25),
    "idea.budget.tokens": Ends(2500),
    "idea.budget.requests": Ends(3),
    "run.wall": Ends("0.0001s"),
    "run.gpu_time": Ends("0.0001s", gpus=1),
    "run.budget.usd": Ends(0.25),
    "run.budget.tokens": Ends(2500),
    "run.budget.requests": Ends(3),
    "run.containers": Waits(1),
    "run.memory": Waits("600MiB"),
    "run.disk": Waits("60MiB"),
    "run.keep_free.disk": Keeps("900TiB", DiskFull),
    "run.keep_free.memory": Keeps("900TiB", HostBusy),
}
DESCRIBES = {
    "name": "another",
    "description": "Another description.",
    "exceeds": {"experiment.network": "a reason"},
}


@pytest.fixture(scope="module")
def walked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Walked]:
    folder, leaves = tmp_path_factory.mktemp("walk"), asked(request, "leaf")
    with rig.bench(folder) as bench:
        yield Walked(bench, folder, {leaf: row for leaf, row in SHOWN.items() if leaf in leaves})


def test_every_key_of_a_policy_stands_in_the_table() -> None:
    assert set(SHOWN) == set(SETTINGS)
    assert {*DESCRIBES, "version"} == set(DESCRIPTIVE)


@pytest.mark.sampled
@pytest.mark.engine
@pytest.mark.parametrize("leaf", some(sorted(SHOWN), 40, "every field"))
def test_a_key_that_is_changed_alone_changes_what_is_seen(leaf: str, walked: Walked) -> None:
    SHOWN[leaf].show(leaf, walked)


@pytest.mark.parametrize("leaf", sorted(DESCRIBES))
def test_a_key_that_describes_changes_the_hash_and_nothing_else(leaf: str) -> None:
    before = rig.base()
    after = rig.changed(before, leaf, DESCRIBES[leaf])
    assert before.hash != after.hash
    assert (before.idea, before.run) == (after.idea, after.run)
    for kind in BLOCKS:
        assert rig.differing(before, after, kind) == {}  # type: ignore[arg-type]  # a block's name
        assert before.limits(kind) == after.limits(kind)  # type: ignore[arg-type]  # as above


def test_another_version_of_the_form_is_refused() -> None:
    with pytest.raises(ValidationError, match="version"):
        rig.changed(rig.base(), "version", 2)


@pytest.mark.parametrize(
    "leaf", sorted(leaf for leaf, row in SHOWN.items() if not isinstance(row, NoOther))
)
def test_every_key_changes_the_hash(leaf: str) -> None:
    """Not only what is enforced is recorded with each result: all of it is."""
    row = SHOWN[leaf]
    way = row.ways[0] if isinstance(row, Both) else row
    value = getattr(way, "value", OTHERS.get(leaf))
    assert rig.changed(rig.base(), leaf, value).hash != rig.base().hash


OTHERS = {
    "experiment.gpus.memory": "1GiB",
    "experiment.data": "none",
    "editor.process": True,
    "model.allow": [],
    "model.feedback": "verdict",
}
