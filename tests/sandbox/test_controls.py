"""One table of controls: every setting in exactly one, and nothing claimed that a machine lacks."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.host import EngineFacts, Host, Tried
from orchestrator.core.job import UNREAD, Attestation, Peaks, Verdict
from orchestrator.policy.controls import CONTROLS, Control, How, here, of_setting
from orchestrator.policy.policy import Policy, load_policy
from orchestrator.policy.schema import SETTINGS
from tests.policy.test_policy import ON_HOST, ROOT, written

GIB = 2**30
ENGINE = EngineFacts(
    name="docker",
    version="29.0",
    api="1.50",
    kernel="6.1",
    cgroup=2,
    cgroup_driver="systemd",
    rootless=False,
    userns_remap=False,
    security=("name=seccomp,profile=builtin", "name=apparmor"),
    storage_driver="overlay2",
)
HELD = Attestation(
    container="c",
    image="i",
    policy="p",
    engine="docker 29.0",
    kernel="6.1",
    runtime="runc",
    storage="loop",
    asked=(),
    inspected=(),
    seen=(),
    hit=(),
    peaks=Peaks(),
    verdict=Verdict.FINISHED,
)
ROOMY = Host(
    engine=ENGINE,
    runtimes=(Tried("runc", "tested", "held"), Tried("runsc", "tested", "held")),
    storage=(Tried("loop", "tested", "held"), Tried("tmpfs", "tested", "held")),
    gpus=("GPU-1",),
    cpus=64,
    memory=2**40,
    memory_free=2**40,
    disk=2**44,
    trial=HELD,
)
NO_ENGINE = replace(
    ROOMY, engine=None, why="No Docker engine answers.", runtimes=(), storage=(), trial=None
)


def states(host: Host, policy: str | Policy) -> dict[str, How]:
    loaded = load_policy(policy, ROOT) if isinstance(policy, str) else policy
    return {control.id: how for control, how in here(host, loaded)}


def not_given(host: Host, policy: str | Policy) -> dict[str, str]:
    return {name: how.state for name, how in states(host, policy).items() if how.state != "given"}


def test_every_setting_belongs_to_exactly_one_control() -> None:
    counts = Counter(key for control in CONTROLS for key in control.settings)
    assert {key: counts[key] for key in SETTINGS} == dict.fromkeys(SETTINGS, 1)
    assert set(counts) == set(SETTINGS)
    assert of_setting("latex.time.wall").id == "time"


def test_every_key_of_a_control_covers_something() -> None:
    for control in CONTROLS:
        for key in control.keys:
            assert replace(control, keys=(key,)).settings, key


def test_counterparts_are_written_as_the_standards_number_and_name_them() -> None:
    for control in CONTROLS:
        for number in control.cis:
            assert re.fullmatch(r"5\.([1-9]|[12]\d|3[0-2])", number), (control.id, number)
        assert all(control.pss)
    said = {number for control in CONTROLS for number in control.cis}
    # the runtime section's items that a container's own settings answer
    assert {f"5.{n}" for n in (4, 5, 6, 10, 11, 12, 13, 16, 17, 18, 21, 22, 26, 29, 32)} <= said
    fields = " ".join(field for control in CONTROLS for field in control.pss)
    for field in (
        "runAsNonRoot",
        "allowPrivilegeEscalation",
        "drop ALL",
        "seccompProfile",
        "volume",
    ):
        assert field in fields


@pytest.mark.parametrize("policy", ["base", "default", "ci-cpu", "strict", "allowlist-example"])
@pytest.mark.parametrize("control", CONTROLS, ids=lambda control: control.id)
def test_a_control_says_who_enforces_it_what_it_means_and_what_passes(
    control: Control, policy: str
) -> None:
    assert control.meaning(load_policy(policy, ROOT)).endswith(".")
    assert control.by
    assert control.not_stopped.endswith(".")


def test_explain_says_which_facts_are_the_engines_word_alone_on_this_machine() -> None:
    spaces = {"own net namespace": "yes", "own pid namespace": "yes"}
    root = states(replace(ROOMY, trial=replace(HELD, seen=tuple(spaces.items()))), "ci-cpu")
    assert "only root may read" not in root["container"].text
    assert root["network"].text.endswith("own namespace read from /proc")
    unread = tuple((name, UNREAD) for name in spaces)
    user = states(replace(ROOMY, trial=replace(HELD, seen=unread)), "ci-cpu")
    assert f"as the engine reports them: {', '.join(spaces)}" in user["container"].text
    assert "/proc" not in user["network"].text


def test_the_meaning_has_the_policys_own_numbers(tmp_path: Path) -> None:
    """Each number of a container, changed alone, changes what its control says."""
    changes = {
        "resources: {cpus: 1}": "cpus",
        "resources: {memory: 2GiB}": "memory",
        "resources: {shm: 8MiB}": "memory",
        "resources: {pids: 100}": "processes",
        "resources: {open_files: 100}": "processes",
        "storage: {workspace: 300MiB}": "disk",
        "storage: {tmp: 8MiB}": "disk",
        "storage: {inodes: 5000}": "disk",
        "storage: {file: 100MiB}": "disk",
        "time: {wall: 4m}": "time",
        "time: {cpu: 4m}": "time",
        "time: {grace: 1s}": "time",
        "logs: 1MiB": "logs",
        "data: none": "data",
        "user: '1000:1000'": "container",
        "image: mine": "container",
        "image_age: 7d": "container",
        "runtime: runsc": "runtime",
        "harvest: {files: 7}": "harvest",
        "harvest: {bytes: 100MiB}": "harvest",
        "harvest: {file: 1MiB}": "harvest",
        "harvest: {depth: 2}": "harvest",
    }
    plain = load_policy("ci-cpu", ROOT)
    for change, name in changes.items():
        key = change.partition(":")[0]
        reason = (
            f"exceeds: {{experiment.{key}: for a test of this alone}}\n"
            if key in {"user", "image"}
            else ""
        )
        body = f"{reason}extends: ci-cpu\nexperiment: {{{change}}}"
        policy = load_policy(written(tmp_path, body), ROOT)
        changed = [c.id for c in CONTROLS if c.meaning(policy) != c.meaning(plain)]
        assert changed == [name], change


def test_the_budgets_meaning_has_the_policys_own_numbers(tmp_path: Path) -> None:
    plain = load_policy("ci-cpu", ROOT)
    for change, name in {
        "idea: {wall: 59m}": "idea",
        "idea: {budget: {usd: 4.5}}": "idea",
        "idea: {budget: {tokens: 7}}": "idea",
        "idea: {budget: {requests: 7}}": "idea",
        "run: {wall: 3h}": "run",
        "run: {budget: {usd: 4.5}}": "run",
        "run: {containers: 1}": "run",
        "run: {memory: 4GiB}": "run",
        "run: {disk: 800MiB}": "run",
        "run: {keep_free: {disk: 2GiB}}": "reserve",
        "run: {keep_free: {memory: 1GiB}}": "reserve",
    }.items():
        policy = load_policy(written(tmp_path, f"extends: ci-cpu\n{change}"), ROOT)
        changed = [c.id for c in CONTROLS if c.meaning(policy) != c.meaning(plain)]
        assert changed == [name], change


def test_a_machine_that_has_everything_gives_everything_it_has_tried() -> None:
    assert not_given(ROOMY, "ci-cpu") == {}
    assert not_given(ROOMY, "strict") == {}
    assert not_given(ROOMY, "default") == {"gpus": "unknown"}  # a GPU is there and was not tried


def test_an_image_older_than_the_policy_allows_is_missing_here(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, "extends: ci-cpu\nlatex: {image_age: 7d}"), ROOT)
    aged = ROOMY
    for days, expected in ((6.9, {}), (7.1, {"container": "missing"})):
        aged = replace(ROOMY, image_ages=(("aisci-latex:latest", days * 86400),))
        assert not_given(aged, policy) == expected
        assert not_given(aged, "ci-cpu") == {}
    assert "latex: the image aisci-latex is 7.1 days old" in states(aged, policy)["container"].text


def test_without_an_engine_what_it_gives_is_unknown_and_said_so() -> None:
    found = states(NO_ENGINE, "ci-cpu")
    assert {name for name, how in found.items() if how.state == "given"} == {
        "harvest",
        "logs",
        "model",
        "idea",
        "run",
        "reserve",
    }
    assert "missing" not in {how.state for how in found.values()}
    assert "no engine answers here" in found["memory"].text


@pytest.mark.parametrize(
    ("change", "policy", "expected"),
    [
        ({"runtimes": (Tried("runc", "tested"),)}, "strict", "runtime"),
        (
            {"runtimes": (Tried("runc", "tested"), Tried("runsc", "failed", "no"))},
            "strict",
            "runtime",
        ),
        ({"storage": (Tried("loop", "failed", "no loop devices"),)}, "ci-cpu", "disk"),
        ({"gpus": ()}, "default", "gpus"),
        ({"cpus": 1}, "ci-cpu", "cpus"),
        ({"memory": GIB}, "ci-cpu", "memory"),
        ({"memory_free": 2**20}, "ci-cpu", "reserve"),
        ({"disk": 2**28}, "ci-cpu", "disk"),
        ({"engine": replace(ENGINE, security=())}, "ci-cpu", "seccomp"),
        ({"engine": replace(ENGINE, controls=("memory", "cpu"))}, "ci-cpu", "processes"),
        ({"engine": replace(ENGINE, controls=("pids", "cpu"))}, "ci-cpu", "memory"),
    ],
)
def test_what_a_machine_lacks_is_missing_and_never_claimed(
    change: dict[str, object], policy: str, expected: str
) -> None:
    assert not_given(replace(ROOMY, **change), policy)[expected] == "missing"  # type: ignore[arg-type]  # a field each


def test_an_allow_list_under_gvisor_is_missing(tmp_path: Path) -> None:
    body = "exceeds: {experiment.network: for a test of this alone}\nextends: ci-cpu\n"
    body += "experiment: {runtime: runsc, network: {allow: ['a.example.org:443']}}"
    assert not_given(ROOMY, load_policy(written(tmp_path, body), ROOT))["network"] == "missing"


def test_a_runtime_that_was_not_tried_leaves_what_rests_on_it_unknown() -> None:
    host = replace(ROOMY, runtimes=(Tried("runc", "listed"),), trial=None)
    found = not_given(host, "ci-cpu")
    assert found["container"] == found["memory"] == found["network"] == "unknown"
    assert found["runtime"] == "unknown"


def test_tmpfs_is_given_only_where_the_workspace_fits_inside_the_memory(tmp_path: Path) -> None:
    host = replace(ROOMY, storage=(Tried("loop", "failed"), Tried("tmpfs", "tested", "held")))
    assert "disk" not in not_given(host, "ci-cpu")
    body = "extends: ci-cpu\nexperiment: {resources: {memory: 900MiB}}"
    found = states(host, load_policy(written(tmp_path, body), ROOT))["disk"]
    assert found.state == "missing"
    assert "do not fit inside its memory" in found.text


def test_an_editor_on_the_host_is_explained_for_what_it_is(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, f"extends: ci-cpu\n{ON_HOST}"), ROOT)
    (editor,) = (control for control in CONTROLS if control.id == "editor")
    assert "it has your rights, and no container's limit holds it" in editor.meaning(policy)
    assert "nothing outside it" in states(ROOMY, policy)["editor"].text
    memory = next(control for control in CONTROLS if control.id == "memory")
    assert "the editor" not in memory.meaning(policy)
