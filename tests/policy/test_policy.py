"""A policy says what it means, or where it does not; a child may only take away."""

from __future__ import annotations

import os
import threading
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.core.errors import BadPolicy, UnknownName, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.host import Machine
from orchestrator.core.job import Limits
from orchestrator.core.tree import canonical
from orchestrator.core.units import (
    LONGEST,
    parse_size,
    parse_time,
    rough_text,
    size_text,
    time_text,
)
from orchestrator.machine.system import measure_machine
from orchestrator.policy.check import check, check_file, check_machine, refuse
from orchestrator.policy.compare import compare, flat_settings, weaker
from orchestrator.policy.policy import Policy, load_policy, lowered, policy_text
from orchestrator.policy.seccomp import shipped_profile

ROOT = shipped_root() / "policies"
SHIPPED = sorted(path.stem for path in ROOT.glob("*.yaml"))
WIDE = shipped_profile().normal()  # and one call more
WIDE["syscalls"].append({"names": ["ptrace"], "action": "SCMP_ACT_ALLOW"})
ON_HOST = "editor: process\nexceeds: {editor.process: there is no engine here}"
HEAD = "version: 1\nname: mine\ndescription: A test.\n"


def written(folder: Path, body: str, name: str = "mine.yaml") -> str:
    path = folder / name
    path.write_text(HEAD + body)
    return str(path)


def refusal(folder: Path, body: str) -> str:
    with pytest.raises(BadPolicy) as caught:
        load_policy(written(folder, body), ROOT)
    assert caught.value.exit_code == 2
    return str(caught.value)


# --- the shipped policies -----------------------------------------------------------------


def test_the_shipped_policies_are_the_eight_that_the_documentation_names() -> None:
    named = ["allowlist-example", "base", "ci-cpu", "default", "editor", "latex", "strict"]
    assert [*named, "workstation"] == SHIPPED
    page = (ROOT.parent / "docs" / "policy.md").read_text("utf-8")
    assert [name for name in SHIPPED if f"`{name}`" not in page] == []


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_policy_has_no_finding_and_fits_on_a_screen(name: str) -> None:
    assert check_file(name, ROOT) == ()
    assert len((ROOT / f"{name}.yaml").read_text().splitlines()) < 60


def test_the_ci_policy_fits_a_machine_of_two_cpus_and_six_gib() -> None:
    small = Machine(cpus=2, memory=6 * 2**30, disk=8 * 2**30, gpus=0)
    assert check_machine(load_policy("ci-cpu", ROOT), small) == ()


def test_the_ci_policy_gives_experiments_two_cpus_three_gib_and_no_gpu() -> None:
    limits = load_policy("ci-cpu", ROOT).limits("experiment")
    assert (limits.cpus, limits.memory, limits.gpus) == (2, 3 * 2**30, 0)
    assert (limits.wall, limits.cpu_time, limits.grace) == (300, 600, 5)
    assert (limits.workspace, limits.tmp, limits.inodes) == (2**29, 2**28, 20_000)
    assert (limits.network, limits.env, limits.user) == ((), (), "65534:65534")


@pytest.mark.parametrize("name", ["base", "default", "ci-cpu"])
@pytest.mark.parametrize("kind", ["experiment", "latex", "editor"])
def test_limits_are_plain_numbers_and_every_one_is_set(name: str, kind: Any) -> None:
    limits = load_policy(name, ROOT).limits(kind)
    texts = {"image", "runtime", "user", "seccomp"}
    tuples = {"network", "env"}
    for field in fields(Limits):
        expected: Any = int | float
        expected = str if field.name in texts else tuple if field.name in tuples else expected
        assert isinstance(getattr(limits, field.name), expected), field.name


def test_budgets_are_seconds_dollars_and_bytes() -> None:
    policy = load_policy("default", ROOT)
    assert (policy.idea.wall, policy.idea.gpu_time, policy.idea.usd) == (72_000, 64_800, 15)
    assert (policy.run.containers, policy.run.keep_free_disk) == (8, 20 * 2**30)


# --- inheritance --------------------------------------------------------------------------


def test_a_child_inherits_what_it_does_not_say(tmp_path: Path) -> None:
    mine = load_policy(
        written(tmp_path, "extends: ci-cpu\nexperiment: {time: {wall: 1m, cpu: 2m}}"), ROOT
    )
    parent = load_policy("ci-cpu", ROOT)
    assert mine.chain == ("mine", "ci-cpu", "base")
    assert mine.limits("experiment").wall == 60
    assert mine.limits("experiment").memory == parent.limits("experiment").memory
    assert mine.limits("latex") == parent.limits("latex")


@pytest.mark.parametrize(
    ("key", "body", "before", "after"),
    [
        ("experiment.resources.cpus", "experiment: {resources: {cpus: 3}}", "2", "3"),
        ("experiment.resources.memory", "experiment: {resources: {memory: 4GiB}}", "3GiB", "4GiB"),
        ("experiment.time.wall", "experiment: {time: {wall: 301s}}", "5m", "301s"),
        ("experiment.time.grace", "experiment: {time: {grace: 6s}}", "5s", "6s"),
        ("experiment.storage.inodes", "experiment: {storage: {inodes: 20001}}", "20000", "20001"),
        ("experiment.gpus.count", "experiment: {gpus: {count: 1}}", "0", "1"),
        ("experiment.network", "experiment: {network: {allow: ['a.org:443']}}", "none", "a.org"),
        ("experiment.env", "experiment: {env: {A: b}}", "{}", "{A: b}"),
        ("experiment.seccomp", "experiment: {seccomp: wide.json}", "default", "SHA-256"),
        ("latex.data", "latex: {data: read-only}", "none", "read-only"),
        ("idea.budget.usd", "idea: {budget: {usd: 5.01}}", "5", "5.01"),
        ("run.keep_free.disk", "run: {keep_free: {disk: 1023MiB}}", "1GiB", "1023MiB"),
        ("run.containers", "run: {containers: 3}", "2", "3"),
    ],
)
def test_a_child_weaker_than_its_parent_is_refused_with_key_and_both_values(
    tmp_path: Path, key: str, body: str, before: str, after: str
) -> None:
    (tmp_path / "wide.json").write_bytes(canonical(WIDE))
    text = refusal(tmp_path, f"extends: ci-cpu\n{body}")
    assert f"mine.yaml:5:{body.index(key.rsplit('.', 1)[-1] + ':') + 1}: {key}" in text
    assert f"'ci-cpu' has {before}; here it is" in text
    assert after in text.split("here it is")[1]


def test_a_stronger_runtime_may_be_asked_for_but_not_taken_back(tmp_path: Path) -> None:
    strong = written(tmp_path, "extends: ci-cpu\nexperiment: {runtime: runsc}", "strong.yaml")
    assert load_policy(strong, ROOT).limits("experiment").runtime == "runsc"
    text = refusal(tmp_path, "extends: ./strong.yaml\nexperiment: {runtime: runc}")
    assert "has runsc; here it is runc" in text


@pytest.mark.parametrize(
    "setting", sorted(flat_settings(load_policy("ci-cpu", ROOT).settings["experiment"]))
)
def test_no_setting_of_a_container_escapes_the_comparison(setting: tuple[str, ...]) -> None:
    """Each number raised by one, each word changed: it counts as weaker, or is the stronger."""
    before = load_policy("base", ROOT).settings["experiment"]
    changed = load_policy("base", ROOT).settings["experiment"]
    at = changed
    for part in setting[:-1]:
        at = at[part]
    value = at.get(setting[-1], "any")
    if value == "any":
        value = at[setting[-1]] = before["image_age"] = "30d"
    higher = {"none": {"allow": ["a.org:443"]}, "default": WIDE, "watched": "hoped"}
    if isinstance(value, int):
        at[setting[-1]] = value + 1
    elif isinstance(value, dict):
        at[setting[-1]] = {"A": "b"}
    elif value in higher:
        at[setting[-1]] = higher[value]
    elif setting[-1] in {"image", "user", "runtime", "data"}:
        other = {"image": "x", "user": "1:1", "runtime": "runsc", "data": "none"}
        at[setting[-1]] = other[setting[-1]]
    else:
        at[setting[-1]] = "1" + value
    (difference,) = compare(before, changed)
    free = {"runtime": "stronger", "data": "stronger"}
    assert difference.verdict == free.get(setting[-1], "weaker")


def test_a_block_comes_from_another_policy_and_may_only_be_lowered(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nlatex: {extends: latex, time: {wall: 1m, cpu: 1m}}"
    assert load_policy(written(tmp_path, body), ROOT).limits("latex").wall == 60
    text = refusal(tmp_path, "extends: ci-cpu\nlatex: {extends: latex, time: {wall: 1h}}")
    assert "latex.time.wall" in text
    assert "'latex' has 3m; here it is 1h" in text


def test_a_file_with_one_block_is_no_policy_to_run_under() -> None:
    with pytest.raises(BadPolicy, match=r"latex: \{extends: …\}"):
        load_policy("latex", ROOT)


def test_a_block_that_the_named_policy_lacks_is_refused(tmp_path: Path) -> None:
    text = refusal(tmp_path, "extends: ci-cpu\nlatex: {extends: editor}")
    assert "'editor' has no block 'latex'" in text
    assert "mine.yaml:5:9" in text


def test_policies_in_a_circle_are_refused(tmp_path: Path) -> None:
    written(tmp_path, "extends: ./mine.yaml", "other.yaml")
    assert "circle" in refusal(tmp_path, "extends: ./other.yaml")


def test_a_policy_that_extends_nothing_must_write_every_key(tmp_path: Path) -> None:
    text = refusal(tmp_path, "run: {containers: 1}")
    assert "is not complete: experiment, latex, editor, idea, run.wall" in text
    assert "extends: base" in text


def test_an_editor_on_the_host_is_accepted_and_said_aloud(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, f"extends: ci-cpu\n{ON_HOST}"), ROOT)
    assert policy.editor_on_host
    assert not load_policy("ci-cpu", ROOT).editor_on_host
    (note,) = check(policy)
    assert note.level == "note"
    assert "with your rights" in note.what
    refuse(policy.name, (note,))


# --- names, hash, showing -----------------------------------------------------------------


def test_a_bare_name_is_never_a_file_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(tmp_path, "extends: ci-cpu", "defalt.yaml")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UnknownName, match="did you mean 'default'") as caught:
        load_policy("defalt", ROOT)
    assert "./defalt" in str(caught.value)


def test_a_path_that_is_not_there_is_named() -> None:
    with pytest.raises(UnknownName, match=r"\./nowhere\.yaml"):
        load_policy("./nowhere.yaml", ROOT)


def test_an_unknown_parent_is_shown_where_it_is_named(tmp_path: Path) -> None:
    text = refusal(tmp_path, "extends: bse")
    assert "mine.yaml:4:1: extends" in text
    assert "did you mean 'base'?" in text


def effective_again(policy: Policy, folder: Path) -> Policy:
    path = folder / "effective.yaml"
    path.write_text(policy_text(policy, effective=True))
    return load_policy(str(path), ROOT)


@pytest.mark.parametrize("name", ["base", "default", "ci-cpu"])
def test_the_effective_text_loads_to_the_same_policy(name: str, tmp_path: Path) -> None:
    policy = load_policy(name, ROOT)
    again = effective_again(policy, tmp_path)
    assert again.hash == policy.hash
    assert again.settings == policy.settings
    assert again.origin != policy.origin == "shipped"


def test_the_effective_text_keeps_an_editor_on_the_host(tmp_path: Path) -> None:
    policy = load_policy(written(tmp_path, f"extends: ci-cpu\n{ON_HOST}"), ROOT)
    assert effective_again(policy, tmp_path).hash == policy.hash


def test_the_hash_follows_meaning_and_not_spelling(tmp_path: Path) -> None:
    plain = load_policy(
        written(tmp_path, "extends: ci-cpu\nexperiment: {time: {wall: 60s, cpu: 2m}}"), ROOT
    )
    other = "extends: ci-cpu # a word\nexperiment:\n  time: {cpu: 120s, wall: 1m}\n"
    assert load_policy(written(tmp_path, other), ROOT).hash == plain.hash
    less = "extends: ci-cpu\nexperiment: {time: {wall: 59s, cpu: 1m}}"
    assert load_policy(written(tmp_path, less), ROOT).hash != plain.hash


def test_an_empty_allow_list_allows_nothing(tmp_path: Path) -> None:
    """It is `none` in other words, with the same hash; so it needs no reason either."""
    empty = load_policy(
        written(tmp_path, "extends: ci-cpu\nexperiment: {network: {allow: []}}"), ROOT
    )
    none = load_policy(written(tmp_path, "extends: ci-cpu\nexperiment: {network: none}"), ROOT)
    assert empty.limits("experiment").network == ()
    assert empty.hash == none.hash
    assert empty.whole.exceeds == {}


def test_the_file_is_shown_as_it_was_written() -> None:
    text = (ROOT / "default.yaml").read_text()
    assert policy_text(load_policy("default", ROOT), effective=False) == text


# --- the command line ---------------------------------------------------------------------


def test_the_command_line_may_lower_and_the_hash_tells() -> None:
    policy = load_policy("ci-cpu", ROOT)
    less = lowered(policy, {"experiment.time.wall": "1m", "idea.budget.usd": 1.5})
    assert (less.limits("experiment").wall, less.idea.usd) == (60, 1.5)
    assert less.hash != policy.hash
    assert less.lowered == (("experiment.time.wall", "5m"), ("idea.budget.usd", "5"))


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"experiment.time.wall": "1h"}, "command line can only lower"),
        ({"experiment.time.wal": "1m"}, r"did you mean 'experiment\.time\.wall'"),
        ({"experiment.time.wall": 60}, "needs a unit"),
        ({"experiment.network": {"allow": ["a.example.org:443"]}}, "command line can only lower"),
        ({"editor.process": True}, "command line can only lower"),
    ],
)
def test_the_command_line_may_not_raise_or_guess(change: dict[str, Any], match: str) -> None:
    with pytest.raises(UserError, match=match):
        lowered(load_policy("ci-cpu", ROOT), change)


# --- bad input ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        (
            "experiment:\n  resources: {memry: 3GiB}",
            "5:15: experiment.resources.memry",
            "'memory'?",
        ),
        ("expriment: {}", "4:1: expriment", "did you mean 'experiment'?"),
        ("run: {budget: {usd: 1, dollars: 2}}", "4:24: run.budget.dollars", "known: requests"),
        ("experiment: {resources: {memory: 3}}", "4:26: experiment.resources.memory", "a unit"),
        ("experiment: {resources: {memory: 3GB}}", "4:26: experiment", "unknown unit 'GB'"),
        ("experiment: {image_age: 30}", "4:14: experiment.image_age", "needs a unit"),
        ("experiment: {image_age: old}", "4:14: experiment.image_age", "not a number followed"),
        ("experiment: {resources: {memory: 3h}}", "4:26: experiment", "unknown unit 'h'"),
        ("experiment: {resources: {memory: 0.3B}}", "4:26: experiment", "whole number of bytes"),
        ("experiment: {resources: {memory: -3GiB}}", "4:26: experiment", "followed by a unit"),
        ("experiment: {time: {wall: 120}}", "4:21: experiment.time.wall", 'like "2h"'),
        ("experiment: {resources: {cpus: '2'}}", "4:26: experiment.resources.cpus", "number"),
        ("experiment: {resources: {cpus: true}}", "4:26: experiment.resources.cpus", "number"),
        (
            "experiment: {resources: {pids: 0}}",
            "4:26: experiment.resources.pids",
            "must be 1 or more, not 0",
        ),
        (
            "experiment: {resources: {pids: 2.5}}",
            "4:26: experiment.resources.pids",
            "must be a whole number",
        ),
        (
            "experiment: {user: root}",
            "4:14: experiment.user",
            "not a numeric user and group: 'root'",
        ),
        ("experiment: {user: '65534:0'}", "4:14: experiment.user", "is root"),
        ("experiment: {runtime: kata}", "4:14: experiment.runtime", "use runc or runsc"),
        ("experiment: {runtime: runs}", "4:14: experiment.runtime", "did you mean 'runsc'?"),
        ("experiment: {image: 'a b'}", "4:14: experiment.image", "not the name of an image"),
        (
            "experiment: {env: {WANDB_API_KEY: x}}",
            "4:20: experiment.env.WANDB_API_KEY",
            "like a secret",
        ),
        ("experiment: {network: all}", "4:14: experiment.network", "neither none nor"),
        ("experiment: {network: {allow: ['*.org:443']}}", "4:14: experiment.network", "wildcard"),
        ("experiment: {network: {allow: ['10.0.0.1:443']}}", "4:14: exp", "an IP address"),
        ("experiment: {network: {allow: ['[::1]:443']}}", "4:14: exp", "an IP address"),
        ("experiment: {network: {allow: ['a.org.:443']}}", "4:14: exp", "lower-case host name"),
        ("experiment: {network: {allow: ['a.org:22']}}", "4:14: exp", "port 443"),
        ("experiment: {network: {allow: [3]}}", "4:14: experiment.network", "not text"),
        ("editor: host", "4:1: editor", "the word `process`"),
        ("latex:", "4:1: latex", "the key 'latex' has no value"),
        ("run: 3", "4:1: run", "must be a mapping of keys to values, not 3"),
        ("run: {containers: 2}\nrun: {containers: 3}", "5:1: run", "occurs twice"),
        ("run: &a {containers: 2}", "4:6", "anchors and aliases"),
        ("run: *a", "4:6", "anchors and aliases"),
        ("run: !!map {}", "4:6", "tags are not allowed"),
        ("run: {containers: 2", "4:20", "not valid YAML"),
        ("1: 2", "4:1", "a key must be text"),
        ("---\nname: second", "4:1", "not valid YAML"),
    ],
)
def test_bad_input_names_file_line_column_key_and_what_is_wrong(
    tmp_path: Path, body: str, where: str, what: str
) -> None:
    text = refusal(tmp_path, body)
    assert f"{tmp_path}/mine.yaml:{where}" in text
    assert what in text
    assert len(text.splitlines()) <= 5


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"", "not a mapping"),
        (b"- 1", "not a mapping"),
        (b"name: x\ndescription: y\n", "'version' is missing"),
        (
            b"version: 2\nname: x\ndescription: y\n",
            "in version 2 of the policy format, and this aisci reads 1",
        ),
        (b"version: 1\nname: Not A Name\ndescription: y\n", "names have up to 64"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"a: \x00", "not valid YAML"),
        (b"a: " + b"x" * 300_000, "too large"),
        (b"[" * 5_000, "too deep"),
    ],
)
def test_a_file_that_is_no_policy_at_all_is_refused(tmp_path: Path, raw: bytes, what: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(raw)
    with pytest.raises(BadPolicy, match=what):
        load_policy(str(path), ROOT)


@pytest.mark.parametrize(
    "host",
    ["metadata.google.internal", "no-such-host.invalid", "printer.local", "a.localhost", "x.test",
     "x.example", "nas.home.arpa", "abc.onion", "x.alt", "intranet", "10.0.0.1", "[::1]"],
)  # fmt: skip
def test_a_host_that_can_never_be_public_is_refused_with_the_reason(
    tmp_path: Path, host: str
) -> None:
    text = refusal(tmp_path, f"extends: ci-cpu\nexperiment: {{network: {{allow: ['{host}:443']}}}}")
    assert "5:14: experiment.network" in text
    assert any(why in text for why in ("never be public", "never public", "an IP address"))


@pytest.mark.parametrize("host", ["api.example.org", "internal.example.com", "local.test.dev"])
def test_a_public_name_that_only_looks_like_one_of_them_is_allowed(
    tmp_path: Path, host: str
) -> None:
    reason = "exceeds: {experiment.network: a test of host names}\n"
    body = f"extends: ci-cpu\n{reason}experiment: {{network: {{allow: ['{host}:443']}}}}"
    policy = load_policy(written(tmp_path, body), ROOT)
    assert policy.limits("experiment").network == (f"{host}:443",)


def test_a_shipped_policys_name_stands_for_no_other_limits(tmp_path: Path) -> None:
    """A record names its policy; a copy with the same settings is the same policy."""
    head = "version: 1\nname: {}\ndescription: A test.\nextends: ci-cpu\n"
    path = tmp_path / "mine.yaml"
    for name in ("strict", "latex"):
        path.write_text(head.format(name))
        with pytest.raises(BadPolicy, match="is the name of a shipped policy") as caught:
            load_policy(str(path), ROOT)
        assert caught.value.where == f"{path}:2:1: name"
    path.write_text(policy_text(load_policy("ci-cpu", ROOT), effective=True))
    assert load_policy(str(path), ROOT).hash == load_policy("ci-cpu", ROOT).hash


def test_a_policy_under_no_other_is_warned_of(tmp_path: Path) -> None:
    (note,) = check(whole_with(tmp_path))
    assert (note.level, note.rule, note.where) == (
        "warning",
        "no-ceiling",
        f"{tmp_path}/whole.yaml:4:1: name",
    )
    assert "--no-weaker-than base" in note.todo
    assert check(load_policy(written(tmp_path, "extends: ci-cpu"), ROOT)) == ()


def test_a_policy_whose_last_parent_limits_nothing_or_one_block_is_warned_of(
    tmp_path: Path,
) -> None:
    whole_with(tmp_path)
    (found,) = check_file(written(tmp_path, "extends: ./whole.yaml"), ROOT)
    assert (found.level, found.rule, found.place.key) == ("warning", "no-ceiling", "extends")
    assert "'whole.yaml'" in found.what
    text = (tmp_path / "whole.yaml").read_text()
    body = text[text.index("experiment:") : text.index("latex:")] + text[text.index("editor:") :]
    (found,) = check_file(written(tmp_path, f"extends: latex\n{body}"), ROOT)
    assert (found.level, found.rule) == ("warning", "no-ceiling")
    assert "'latex' has no experiment, idea, run" in found.what


@pytest.mark.parametrize(
    "body", ["extends: ./base.yaml", "extends: ci-cpu\nlatex: {extends: ./base.yaml}"]
)
def test_a_parent_of_ones_own_under_the_name_of_a_shipped_policy_is_refused(
    tmp_path: Path, body: str
) -> None:
    text = policy_text(load_policy("base", ROOT), effective=True)
    path = tmp_path / "base.yaml"
    path.write_text(text)
    assert load_policy(written(tmp_path, body.replace("ci-cpu", "base")), ROOT).name == "mine"
    path.write_text(text.replace("grace: 1m", "grace: 2m"))
    assert "name of the shipped policy 'base', and is another" in refusal(tmp_path, body)


def test_a_pipe_in_place_of_a_profile_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "calls.json")
    assert "no plain file" in refusal(
        tmp_path, "extends: base\nexperiment: {seccomp: ./calls.json}"
    )


@pytest.mark.parametrize("number", ["0100", "-01", "00"])
def test_a_number_that_readers_take_for_octal_is_refused(tmp_path: Path, number: str) -> None:
    body = f"extends: base\nexperiment: {{resources: {{pids: {number}}}}}"
    assert "is not a plain number" in refusal(tmp_path, body)


def test_a_forgotten_extends_is_one_error_for_each_block(tmp_path: Path) -> None:
    (one,) = check_file(written(tmp_path, "experiment: {time: {wall: 1m}}"), ROOT)
    assert (one.rule, one.place.key) == ("incomplete", "experiment")
    assert "data, env, gpus, harvest" in one.what
    assert "add `extends: base`" in one.todo


def test_a_large_number_is_shown_as_it_is_written(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nrun: {budget: {tokens: 1000000}}"
    (one,) = check_file(written(tmp_path, body), ROOT)
    assert one.what == "2000000 is above run.budget.tokens (1000000): it can never bind"


# --- limits that cannot bind, or that nothing enforces ------------------------------------


def whole_with(folder: Path, **changes: Any) -> Policy:
    """A policy that extends nothing: ci-cpu's effective text with some settings replaced."""
    text = policy_text(load_policy("ci-cpu", ROOT), effective=True)
    text = text.replace("name: ci-cpu", "name: whole")
    for before, after in changes.items():
        assert before.replace("__", ": ") in text
        text = text.replace(before.replace("__", ": "), after, 1)
    path = folder / "whole.yaml"
    path.write_text(text)
    return load_policy(str(path), ROOT)


@pytest.mark.parametrize(
    ("changes", "key", "what"),
    [
        ({"cpu__10m": "cpu: 11m"}, "experiment.time.cpu", "above cpus x wall (10m)"),
        ({"grace__5s": "grace: 5m"}, "experiment.time.grace", "not below the wall"),
        ({"file__256MiB": "file: 513MiB"}, "experiment.storage.file", "can never bind"),
        ({"tmp__256MiB": "tmp: 3GiB"}, "experiment.resources.shm", "above resources.memory"),
        ({"bytes__256MiB": "bytes: 1GiB"}, "experiment.harvest.bytes", "storage.workspace"),
        ({"files__1000": "files: 30000"}, "experiment.harvest.files", "storage.inodes"),
        ({"count__0": "count: 1"}, "experiment.gpus.memory", "both zero or neither"),
        ({"gpu_time__0s": "gpu_time: 1h"}, "idea.gpu_time", "above GPUs x wall"),
        ({"wall__5m": "wall: 2h"}, "experiment.time.wall", "above idea.wall"),
        ({"usd__5\n": "usd: 21\n"}, "idea.budget.usd", "above run.budget.usd (20)"),
        ({"memory__3GiB": "memory: 6GiB"}, "experiment.resources.memory", "above run.memory"),
        (
            {"workspace__512MiB": "workspace: 5GiB"},
            "experiment.storage.workspace",
            "above run.disk",
        ),
        (
            {
                "network__none": "network: {allow: ['a.org:443']}",
                "env__{}": "env: {https_proxy: x}",
            },
            "experiment.env",
            "bypass the proxy of the allow-list",
        ),
        ({"env__{}": "env: {LD_PRELOAD: x}"}, "experiment.env", "how programs are loaded"),
        ({"env__{}": "env: {NVIDIA_VISIBLE_DEVICES: all}"}, "experiment.env", "GPUs are lent"),
    ],
)
def test_a_limit_that_cannot_bind_or_is_not_enforced_is_found_and_refused(
    tmp_path: Path, changes: dict[str, str], key: str, what: str
) -> None:
    policy = whole_with(tmp_path, **changes)
    findings = check(policy)
    assert [one for one in findings if one.where.endswith(key) and what in one.what]
    with pytest.raises(BadPolicy, match="cannot be used"):
        refuse(policy.name, findings)


def test_limits_above_the_machine_are_found() -> None:
    machine = Machine(cpus=2, memory=16 * 2**30, disk=10 * 2**30, gpus=0)
    found = {
        one.where.split(": ")[-1] for one in check_machine(load_policy("default", ROOT), machine)
    }
    assert {
        "experiment.resources.cpus",
        "experiment.resources.memory",
        "experiment.gpus.count",
        "experiment.storage.workspace",
        "run.memory",
        "run.disk",
    } <= found


def test_a_job_that_leaves_the_host_less_memory_than_it_keeps_is_found() -> None:
    machine = Machine(cpus=64, memory=5 * 2**30, disk=2**40)
    policy = lowered(load_policy("ci-cpu", ROOT), {"run.keep_free.memory": "2GiB"})
    assert check_machine(policy, machine) == ()
    policy = lowered(policy, {"run.keep_free.memory": "2049MiB"})
    found = check_machine(policy, machine)
    assert [one.where.split(": ")[-1] for one in found] == ["experiment.resources.memory"]
    assert "keep_free.memory" in found[0].what


def test_this_machine_is_measured_in_cpus_and_bytes(tmp_path: Path) -> None:
    machine = measure_machine(tmp_path)
    assert machine.cpus >= 1
    assert machine.memory > 2**28
    assert machine.disk > 0
    assert machine.gpus is None


def test_nothing_is_weaker_than_itself() -> None:
    settings = load_policy("default", ROOT).settings
    assert weaker(settings, settings) == ()


def test_a_refused_child_names_every_key_that_allows_more(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nexperiment: {time: {wall: 2h}, resources: {cpus: 8}}"
    with pytest.raises(BadPolicy, match=r"experiment\.resources\.cpus allows more") as caught:
        load_policy(written(tmp_path, body), ROOT)
    assert caught.value.what == "the file has 2 errors"
    assert caught.value.why == (
        "5:21: experiment.time.wall allows more than the policy it extends: "
        "'ci-cpu' has 5m; here it is 2h; lower it, or give the reason: "
        '`exceeds: {experiment.time.wall: "…"}`\n'
        "5:44: experiment.resources.cpus allows more than the policy it "
        "extends: 'ci-cpu' has 2; here it is 8; lower it, or give the reason: "
        '`exceeds: {experiment.resources.cpus: "…"}`'
    )


# --- units --------------------------------------------------------------------------------


@given(st.integers(min_value=0, max_value=2**60 - 1).filter(lambda size: size < 10**15))
def test_a_size_is_read_back_from_its_text(size: int) -> None:
    assert parse_size(size_text(size)) == size


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (2 * 2**30, "2GiB"), (24105 * 2**20, "23.5GiB"), (2**40 - 1, "1023.9GiB")],
)
def test_what_a_machine_has_is_told_short_and_never_rounded_up(size: int, text: str) -> None:
    assert rough_text(size) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_a_time_is_read_back_from_its_text(milliseconds: int) -> None:
    assert parse_time(time_text(milliseconds / 1000)) == milliseconds / 1000


@pytest.mark.parametrize("text", ["1e3s", "1 h", "h", "", "１h", "1.5.2h", "1H", "0x1s", "nan s"])
def test_a_time_in_other_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"followed by a unit|unknown unit"):
        parse_time(text)


@pytest.mark.parametrize("text", ["36526d", "999999999999999d"])
def test_a_time_that_clocks_cannot_hold_is_refused(text: str) -> None:
    """Beyond some centuries waiting for it fails at once, with an error that names no policy."""
    with pytest.raises(ValueError, match=r"longer than a century \(36525d\)"):
        parse_time(text)
    assert LONGEST < threading.TIMEOUT_MAX


@pytest.mark.parametrize(
    "image",
    [
        "registry.corp.example:5000/ml/sandbox",
        "registry.corp.example:5000/ml/sandbox:2",
        f"registry.corp.example/ml/sandbox:2@sha256:{'a1' * 32}",
        f"ml@sha256:{'0' * 64}",
    ],
)
def test_an_image_may_name_a_registry_with_a_port_and_a_digest(tmp_path: Path, image: str) -> None:
    body = f"extends: ci-cpu\nexperiment: {{image: '{image}'}}\nexceeds: {{experiment.image: the one of our firm}}\n"
    assert load_policy(written(tmp_path, body), ROOT).limits("experiment").image == image


@pytest.mark.parametrize(
    "image",
    [
        "ml@sha256:abc",
        f"ml@sha512:{'a' * 64}",
        "https://registry.corp.example/ml",
        "registry.corp.example:port/ml",
        "ML",
        "a b",
    ],
)
def test_what_is_no_image_is_refused(tmp_path: Path, image: str) -> None:
    body = f"extends: ci-cpu\nexperiment: {{image: '{image}'}}\n"
    with pytest.raises(BadPolicy, match="is not the name of an image"):
        load_policy(written(tmp_path, body), ROOT)
