"""Whether one policy allows more than another: proved key by key, excused only with a reason."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.core.files import shipped_root
from orchestrator.core.strict_yaml import dump
from orchestrator.policy.check import PolicyFinding, ceiling_of, check, check_no_weaker
from orchestrator.policy.compare import compare, weaker
from orchestrator.policy.policy import load_policy, policy_text
from orchestrator.policy.schema import SETTINGS, WholePolicy
from tests.policy.test_policy import HEAD, ON_HOST, ROOT, refusal, written
from tests.support.sample import examples

BASE = load_policy("base", ROOT)
PLAIN = load_policy("ci-cpu", ROOT).settings

# --- an oracle of its own -----------------------------------------------------------------

# For each last part of a key: its possible values, from the least that is allowed to the most.
# No value is compared by the code under test; its place in the row says what it allows.
SIZE = ["6MiB", "600MiB", "1GiB", "1536MiB", "2TiB"]
TIME = ["1.5s", "90s", "2m", "1h", "1.5h", "2d"]
COUNT: list[Any] = [1, 2, 9, 10, 1000]
ROWS: dict[str, list[Any]] = {
    "cpus": [0.5, 1, 2.5, 10],
    **dict.fromkeys(("memory", "shm", "workspace", "tmp", "file", "logs", "bytes", "disk"), SIZE),
    **dict.fromkeys(("wall", "cpu", "grace", "gpu_time"), TIME),
    **dict.fromkeys(("pids", "open_files", "inodes", "files", "depth", "containers"), COUNT),
    **{key: [0, *COUNT] for key in ("count", "tokens", "requests")},
    "usd": [0, 0.5, 10, 20.25],
    "runtime": ["runsc", "runc"],
    "data": ["none", "read-only"],
    "process": [False, True],
    "feedback": ["verdict", "tails"],
    "image_age": [*TIME, "any"],
    "allow": [[], ["a/b"], ["a/*"], ["a/*", "c/d"], "any"],
    "enforce": ["watched"],
    "version": [1],
}
SPECIAL = {
    "experiment.harvest.file": SIZE,
    "run.gpu_time": [*TIME, "any"],
    "run.keep_free.disk": SIZE[::-1],
    "run.keep_free.memory": SIZE[::-1],
}
# Sets: more is more. An environment's variable with another value is more, too.
NETWORKS: list[frozenset[str]] = [
    frozenset(hosts) for hosts in ((), ("a.org",), ("b.org",), ("a.org", "b.org"))
]
ENVS: list[dict[str, str]] = [{}, {"A": "1"}, {"A": "2"}, {"B": "1"}, {"A": "1", "B": "1"}]
# Another of our own images is no permission, nor is another spelling; a foreign one, or a user, is.
OTHERS = {
    "image": ["aisci-sandbox:cpu", "aisci-sandbox:cuda", "other", "aisci-sandbox:old"],
    "user": ["65534:65534", "065534:65534", "1000:65534", "65534:998"],
}
FREE_BELOW = 2
MEANT = "meant as it is written"
PROVED = [
    key for key in SETTINGS if key.split(".")[-1] != "seccomp"
]  # tests/policy/test_seccomp.py


def row_of(key: str) -> list[Any]:
    last = key.rsplit(".", maxsplit=1)[-1]
    if last in {"network", "env"}:
        return list(range(len(NETWORKS if last == "network" else ENVS)))
    return OTHERS.get(last) or SPECIAL.get(key) or ROWS[last]


Choice = dict[str, int]
"""For each setting, the place of its value in its row."""

choices = st.fixed_dictionaries(
    {key: st.integers(min_value=0, max_value=len(row_of(key)) - 1) for key in PROVED}
)


def settings_of(choice: Choice) -> dict[str, Any]:
    made = copy.deepcopy(PLAIN)
    for key, place in choice.items():
        *path, last = key.split(".")
        at = made
        for part in path:
            at = at.setdefault(part, {})
        value = row_of(key)[place]
        if last == "network":
            hosts = sorted(NETWORKS[place])
            value = {"allow": [f"{host}:443" for host in hosts]} if hosts else "none"
        elif last == "env":
            value = ENVS[place]
        at[last] = value
    return WholePolicy.model_validate(made).model_dump(mode="json")


def allows_no_more(key: str, before: int, after: int) -> bool:
    last = key.rsplit(".", maxsplit=1)[-1]
    if last == "network":
        return NETWORKS[after] <= NETWORKS[before]
    if last == "env":
        return set(ENVS[after].items()) <= set(ENVS[before].items())
    if last in OTHERS:
        same = last == "image" or before < FREE_BELOW
        return after == before or (after < FREE_BELOW and same)
    return after <= before


def no_weaker(before: Choice, after: Choice) -> bool:
    return all(allows_no_more(key, before[key], after[key]) for key in PROVED)


@st.composite
def near(draw: st.DrawFn) -> tuple[Choice, Choice, Choice]:
    """Three policies that mostly fall from one to the next, with a few steps the other way."""
    drawn = [draw(choices) for _ in range(3)]
    first, second, third = ({} for _ in range(3))
    for key in PROVED:
        high, middle, low = sorted((one[key] for one in drawn), reverse=True)
        first[key], second[key], third[key] = high, middle, low
        if key.split(".")[-1] in {"env", "network"}:
            first[key], second[key], third[key] = len(row_of(key)) - 1, 1, 0
    for key in draw(st.lists(st.sampled_from(PROVED), max_size=2)):
        draw(st.sampled_from((first, second, third)))[key] = draw(
            st.integers(min_value=0, max_value=len(row_of(key)) - 1)
        )
    return first, second, third


quick = settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow])


@quick
@given(near())
def test_a_policy_is_no_weaker_exactly_if_no_setting_of_it_allows_more(
    three: tuple[Choice, Choice, Choice],
) -> None:
    first, second, _ = three
    for before, after in ((first, second), (second, first)):
        found = {one.key for one in weaker(settings_of(before), settings_of(after))}
        wrong = {key for key in PROVED if not allows_no_more(key, before[key], after[key])}
        assert found == wrong
        assert (not found) == no_weaker(before, after)


@quick
@given(near())
def test_no_weaker_than_is_an_order(three: tuple[Choice, Choice, Choice]) -> None:
    """Each policy stands to itself; and what is below something below a ceiling is below it."""
    first, second, third = (settings_of(one) for one in three)
    assert weaker(first, first) == ()
    if not weaker(first, second) and not weaker(second, third):
        assert weaker(first, third) == ()


@given(choices, choices)
@quick
def test_a_difference_is_stronger_weaker_or_no_permission_and_turns_round(
    one: Choice, other: Choice
) -> None:
    there = {d.key: d.verdict for d in compare(settings_of(one), settings_of(other))}
    back = {d.key: d.verdict for d in compare(settings_of(other), settings_of(one))}
    assert set(there) == set(back) == {key for key in PROVED if one[key] != other[key]}
    for key, verdict in there.items():
        both = {verdict, back[key]}
        assert both in ({"stronger", "weaker"}, {"different"}, {"weaker"}), key
        if both == {"weaker"}:  # two sets of which neither holds the other, two strangers
            assert key.split(".")[-1] in {"env", "network", "image", "user"}


@st.composite
def families(draw: st.DrawFn) -> tuple[Choice, Choice]:
    """A parent, and what a child's file says of its own: a few settings."""
    parent = draw(choices)
    own = draw(st.lists(st.sampled_from(PROVED), min_size=1, max_size=6, unique=True))
    return parent, {key: draw(st.integers(0, len(row_of(key)) - 1)) for key in own}


def nested(settings_: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    """The part of an effective policy that ``keys`` name."""
    made: dict[str, Any] = {}
    for key in keys:
        *path, last = key.split(".")
        value: Any = settings_
        at = made
        for part in path:
            value, at = value.get(part, {}), at.setdefault(part, {})
        unbounded = "tails" if last == "feedback" else "any"
        at[last] = value.get(last, unbounded)  # what bounds nothing is left out of the file
    return made


@quick
@given(family=families(), excused=st.booleans())
def test_a_child_loads_exactly_if_it_allows_no_more_or_gives_a_reason_for_each(
    *, family: tuple[Choice, Choice], excused: bool
) -> None:
    """Through real files: what loads is what the oracle lets pass, with the settings it expects."""
    before, own = family
    after = before | own
    wrong = {key for key in own if not allows_no_more(key, before[key], after[key])}
    child = nested(settings_of(after), own) | {"extends": "./parent.yaml"}
    if excused and wrong:
        child["exceeds"] = dict.fromkeys(sorted(wrong), MEANT)
    with tempfile.TemporaryDirectory() as folder:
        parent = {**settings_of(before), "name": "parent"}
        if before["editor.process"]:  # an opt-out that needs a reason under no other policy, too
            parent["exceeds"] = {"editor.process": MEANT}
        Path(folder, "parent.yaml").write_text(dump(parent), "utf-8")
        path = Path(folder, "child.yaml")
        path.write_text(HEAD + dump(child), "utf-8")
        if wrong and not excused:
            with pytest.raises(BadPolicy, match="allows more than the policy it extends"):
                load_policy(str(path), ROOT)
            return
        loaded = load_policy(str(path), ROOT)
    expected = {**settings_of(after), "name": "mine", "description": "A test."}
    told = loaded.settings
    inherited = (
        {"editor.process"} if before["editor.process"] and after["editor.process"] else set()
    )
    said = sorted(inherited | (wrong if excused else set()))
    assert told.pop("exceeds", {}) == dict.fromkeys(said, MEANT)
    assert told == expected


def test_a_bound_on_the_age_of_images_is_only_lowered_and_leaving_it_out_is_no_way_round(
    tmp_path: Path,
) -> None:
    parent = written(tmp_path, "extends: ci-cpu\nexperiment: {image_age: 30d}", "parent.yaml")
    younger = written(tmp_path, "extends: ./parent.yaml\nexperiment: {image_age: 7d}")
    assert load_policy(younger, ROOT).whole.experiment.image_age == 7 * 86400
    for older, shown in (("31d", "31d"), ("any", "any")):
        text = refusal(tmp_path, f"extends: ./parent.yaml\nexperiment: {{image_age: {older}}}")
        assert f"'mine' has 30d; here it is {shown}" in text
    _, found = check_no_weaker("ci-cpu", load_policy(parent, ROOT), ROOT)
    assert [one.what for one in found if one.level == "error"] == [
        "experiment.image_age allows more than 'mine', or may: 'mine' has 30d; here it is any"
    ]
    assert check_no_weaker(parent, load_policy("ci-cpu", ROOT), ROOT)[1] == ()


# --- exceeding a parent, with a reason ----------------------------------------------------

NETWORK = "experiment: {network: {allow: ['a.example.org:443']}}\n"


def test_a_child_may_exceed_its_parent_where_it_says_so_and_the_hash_tells(tmp_path: Path) -> None:
    body = 'extends: ci-cpu\nexceeds: {experiment.network: "looks papers up"}\n' + NETWORK
    policy = load_policy(written(tmp_path, body), ROOT)
    assert policy.limits("experiment").network == ("a.example.org:443",)
    assert policy.settings["exceeds"] == {"experiment.network": "looks papers up"}
    other = load_policy(written(tmp_path, body.replace("looks", "finds")), ROOT)
    assert other.hash != policy.hash
    again = tmp_path / "again.yaml"
    again.write_text(policy_text(policy, effective=True))
    assert load_policy(str(again), ROOT).settings == policy.settings


@pytest.mark.parametrize("reason", [".", "ok", "approved", "it is so", "- - - - - - - -"])
def test_a_reason_that_tells_a_reviewer_nothing_is_refused(tmp_path: Path, reason: str) -> None:
    body = f'extends: ci-cpu\nexceeds: {{experiment.network: "{reason}"}}\n' + NETWORK
    refused = refusal(tmp_path, body)
    assert "5:11: exceeds.experiment.network" in refused
    assert "say why in 3 words or more, and 15 characters" in refused


def test_a_child_that_takes_the_editor_back_into_a_container_drops_the_reason_with_it(
    tmp_path: Path,
) -> None:
    """Its parent extends nothing, so no ceiling but the setting itself tells that none is exceeded."""
    host = {**PLAIN, "name": "host", "exceeds": {"editor.process": MEANT}}
    host["editor"] = {**host["editor"], "process": True}
    parent = tmp_path / "host.yaml"
    parent.write_text(dump(host), "utf-8")
    assert load_policy(str(parent), ROOT).settings["exceeds"] == {"editor.process": MEANT}
    child = load_policy(written(tmp_path, "extends: ./host.yaml\neditor: {process: false}"), ROOT)
    assert "exceeds" not in child.settings
    same = load_policy(written(tmp_path, "extends: ./host.yaml"), ROOT)
    assert same.settings["exceeds"] == {"editor.process": MEANT}


def test_a_policy_that_exceeds_nothing_keeps_the_hash_that_it_had() -> None:
    assert "exceeds" not in PLAIN


@pytest.mark.parametrize(
    ("body", "where", "what"),
    [
        (
            "extends: ci-cpu\nexceeds: {experiment.time.wal: meant as it is written}",
            "5:11",
            "'experiment.time.wall'",
        ),
        (
            "extends: ci-cpu\nexceeds: {name: meant as it is written}",
            "5:11",
            "no policy has the key 'name'",
        ),
        (
            "extends: ci-cpu\nexceeds: {experiment.time.wall: meant as it is written}",
            "5:11",
            "does not exceed",
        ),
        (
            "extends: ci-cpu\nexceeds: {experiment.time.wall: meant as it is written}\nexperiment: {time: {wall: 1m}}",
            "5:11",
            "does not exceed",
        ),
        (
            "exceeds: {latex.time.wall: meant as it is written}\nlatex: {extends: latex}",
            "4:11",
            "does not exceed",
        ),
        (
            "extends: ci-cpu\nexceeds: {experiment.network: ''}\n" + NETWORK,
            "5:11",
            "must not be empty",
        ),
        (
            "extends: ci-cpu\nexceeds: {experiment.data: meant as it is written}\n" + NETWORK,
            "6:14",
            "allows more",
        ),
    ],
)
def test_an_exceeding_that_is_none_is_refused(
    tmp_path: Path, body: str, where: str, what: str
) -> None:
    text = refusal(tmp_path, body)
    assert f"mine.yaml:{where}" in text
    assert what in text


def test_a_grandchild_keeps_the_reason_until_it_takes_the_setting_back(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nexceeds: {experiment.network: it looks papers up, idea.wall: long ideas need it}\nidea: {wall: 2h}\n"
    written(tmp_path, body + NETWORK, "parent.yaml")
    kept = load_policy(written(tmp_path, "extends: ./parent.yaml\nidea: {wall: 90m}"), ROOT)
    assert kept.whole.exceeds == {
        "experiment.network": "it looks papers up",
        "idea.wall": "long ideas need it",
    }
    less = "extends: ./parent.yaml\nidea: {wall: 1h}\nexperiment: {network: none}"
    assert load_policy(written(tmp_path, less), ROOT).whole.exceeds == {}
    more = "extends: ./parent.yaml\nidea: {wall: 3h}"
    assert "'mine' has 2h; here it is 3h" in refusal(tmp_path, more)


def test_a_block_from_elsewhere_brings_its_reasons_along(tmp_path: Path) -> None:
    block = 'latex: {extends: latex, time: {wall: 4m}}\nexceeds: {latex.time.wall: "for very long papers"}'
    written(tmp_path, block, "longer.yaml")
    body = "latex: {extends: ./longer.yaml}\n"
    for block_of in ("experiment", "idea", "run"):
        body += f"{block_of}: {PLAIN[block_of]!r}\n".replace("'", '"')
    policy = load_policy(written(tmp_path, body + "editor: {extends: editor}\n"), ROOT)
    assert policy.whole.exceeds == {"latex.time.wall": "for very long papers"}
    under = "extends: ci-cpu\nlatex: {extends: ./longer.yaml}"
    assert "latex.time.wall allows more" in refusal(tmp_path, under)


def test_an_editor_block_taken_from_elsewhere_is_a_container_whatever_the_parent_says(
    tmp_path: Path,
) -> None:
    written(tmp_path, f"extends: ci-cpu\n{ON_HOST}", "parent.yaml")
    assert load_policy(written(tmp_path, "extends: ./parent.yaml"), ROOT).editor_on_host
    body = "extends: ./parent.yaml\neditor: {extends: editor}"
    assert not load_policy(written(tmp_path, body), ROOT).editor_on_host


# --- check --no-weaker-than ---------------------------------------------------------------


def against(name: str, *, exceptions: bool = True) -> tuple[int, list[PolicyFinding]]:
    compared, found = check_no_weaker(name, BASE, ROOT, exceptions=exceptions)
    return compared, list(found)


@pytest.mark.parametrize("name", ["base", "default", "ci-cpu", "strict", "allowlist-example"])
def test_a_whole_policy_is_compared_in_every_setting(name: str) -> None:
    compared, found = against(name)
    assert compared == len(SETTINGS)
    assert [one for one in found if one.level == "error"] == []


@pytest.mark.parametrize(("name", "count"), [("latex", 28), ("editor", 29)])
def test_a_file_of_blocks_is_compared_in_those_blocks(name: str, count: int) -> None:
    assert against(name) == (count, [])


@pytest.mark.parametrize("ceiling", ["base", "default", "ci-cpu"])
def test_strict_allows_nothing_more_than_the_others(ceiling: str) -> None:
    there, strict = load_policy(ceiling, ROOT), load_policy("strict", ROOT)
    assert weaker(there.settings, strict.settings) == ()
    _, found = check_no_weaker("strict", there, ROOT)
    assert {one.level for one in found} <= {"note"}


def test_strict_lowers_every_number_that_a_container_has() -> None:
    for kind in ("experiment", "latex", "editor"):
        before, after = (
            load_policy("ci-cpu", ROOT).limits(kind),
            load_policy("strict", ROOT).limits(kind),
        )
        assert after.runtime == "runsc"
        lower = ("cpus", "memory", "wall", "cpu_time", "grace", "workspace", "tmp", "inodes")
        for name in (*lower, "file", "harvest_files", "harvest_bytes", "harvest_file"):
            assert getattr(after, name) < getattr(before, name), (kind, name)


def test_a_policy_under_no_ceiling_is_found_in_each_weaker_key_with_both_values(
    tmp_path: Path,
) -> None:
    text = policy_text(BASE, effective=True)
    for before, after in (
        ("pids: 4096", "pids: 4097"),
        ("wall: 7d", "wall: 8d"),
        ("disk: 1GiB", "disk: 1023MiB"),
    ):
        assert before in text
        text = text.replace(before, after, 1)
    path = tmp_path / "wide.yaml"
    path.write_text(text.replace("name: base", "name: wide"))
    _, found = against(str(path))
    assert {(one.level, one.where.split(": ")[1]) for one in found} == {
        ("error", "experiment.resources.pids"),
        ("error", "idea.wall"),
        ("error", "run.keep_free.disk"),
    }
    pids = next(one for one in found if "pids" in one.where)
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "4097" in row)
    assert pids.where == f"{path}:{line}:5: experiment.resources.pids"
    assert "'base' has 4096; here it is 4097" in pids.what


def test_a_weaker_block_is_found_where_it_stands(tmp_path: Path) -> None:
    path = written(tmp_path, "latex: {extends: ./wide.yaml}")
    wide = "latex: " + repr(PLAIN["latex"]).replace("'", '"').replace('"3m"', '"4m"')
    written(tmp_path, wide, "wide.yaml")
    compared, (found,) = against(path)
    assert compared == 28
    assert found.where == f"{path}:4:1: latex.time.wall"
    assert "'base' has 3m; here it is 4m" in found.what


def test_an_editor_on_the_host_is_an_exception_that_needs_its_reason(tmp_path: Path) -> None:
    text = refusal(tmp_path, "extends: ci-cpu\neditor: process\n")
    assert "mine.yaml:5:1: editor.process" in text
    assert "exceeds: {editor.process:" in text
    whole = policy_text(BASE, effective=True).replace("name: base", "name: wide")
    (tmp_path / "wide.yaml").write_text(whole.replace("process: false", "process: true"))
    with pytest.raises(BadPolicy, match="with your rights, and has no reason"):
        load_policy(str(tmp_path / "wide.yaml"), ROOT)
    _, found = against(written(tmp_path, f"extends: ci-cpu\n{ON_HOST}\n"))
    (said,) = (one for one in found if one.level != "note")
    assert (said.level, said.reason) == ("exceeds", "there is no engine here")


def test_a_block_of_an_editor_on_the_host_is_weaker_than_the_container(tmp_path: Path) -> None:
    body = "editor: {extends: editor, process: true}"
    assert "editor.process allows more" in refusal(tmp_path, body)
    why = "exceeds: {editor.process: there is no engine here}"
    _, found = against(written(tmp_path, f"{body}\n{why}"))
    assert [(one.level, one.where.split(": ")[1]) for one in found] == [
        ("exceeds", "editor.process")
    ]


def test_a_declared_exceeding_is_said_with_its_reason_unless_none_is_accepted() -> None:
    _, found = against("allowlist-example")
    (said,) = (one for one in found if one.level != "note")
    assert (said.level, said.reason) == ("exceeds", "the experiment looks papers up while it runs")
    assert "'base' has none; here it is {allow: [api.semanticscholar.org:443]}" in said.what
    assert "reason: the experiment" in str(said)
    _, found = against("allowlist-example", exceptions=False)
    (said,) = (one for one in found if one.level != "note")
    assert (said.level, said.reason) == ("error", "")
    assert "--no-exceptions accepts no reason" in said.todo


def test_another_image_of_ours_is_noted_and_no_error(tmp_path: Path) -> None:
    body = "extends: base\nexperiment: {image: 'aisci-sandbox:cpu', user: '065534:65534'}"
    _, found = against(written(tmp_path, body))
    assert [(one.level, one.where.split(": ")[1]) for one in found] == [
        ("note", "experiment.image"),
        ("note", "experiment.user"),
    ]


@pytest.mark.parametrize(
    ("key", "value"), [("image", "mine"), ("user", "1000:1000"), ("user", "65534:998")]
)
def test_a_foreign_image_or_another_user_of_the_host_needs_a_reason(
    tmp_path: Path, key: str, value: str
) -> None:
    """The engine may hold images with secrets in them, and data may be some user's alone."""
    body = f"extends: base\nexperiment: {{{key}: '{value}'}}"
    with pytest.raises(BadPolicy, match=f"experiment.{key} allows more"):
        against(written(tmp_path, body))
    path = written(tmp_path, body + f"\nexceeds: {{experiment.{key}: it is meant as written}}")
    _, found = against(path)
    assert [one.level for one in found] == ["exceeds"]
    _, found = against(path, exceptions=False)
    assert [one.level for one in found] == ["error"]


@pytest.mark.parametrize(
    "image", ["aisci-sandbox:cpu", "corp/sandbox", "corp/sandbox@sha256:" + "b" * 64]
)
def test_an_image_named_by_its_content_is_held_by_none_that_is_named_otherwise(
    tmp_path: Path, image: str
) -> None:
    """Whoever has the engine can give any image the name of one of aisci's."""
    fixed = "corp/sandbox@sha256:" + "a" * 64
    reason = "exceeds: {experiment.image: the approved image of this firm}"
    parent = f"extends: base\n{reason}\nexperiment: {{image: '{fixed}'}}"
    ceiling = load_policy(written(tmp_path, parent, "corp.yaml"), ROOT)
    assert weaker(ceiling.settings, ceiling.settings) == ()
    body = f"extends: base\n{reason}\nexperiment: {{image: '{image}'}}"
    if image.startswith("aisci"):
        body = f"extends: base\nexperiment: {{image: '{image}'}}"
    child = load_policy(written(tmp_path, body), ROOT)
    assert [one.key for one in weaker(ceiling.settings, child.settings)] == ["experiment.image"]


def test_a_ceiling_has_to_be_a_whole_policy() -> None:
    with pytest.raises(UserError, match="has only blocks"):
        ceiling_of("latex", ROOT)
    assert ceiling_of("base", ROOT).name == "base"


def test_a_key_left_to_the_parent_is_shown_where_the_parent_is_named(tmp_path: Path) -> None:
    strict = load_policy("strict", ROOT)
    path = written(tmp_path, "extends: ci-cpu")
    found = check_no_weaker(path, strict, ROOT)[1]
    assert {one.where.split(": ")[0] for one in found if one.level == "error"} == {f"{path}:4:1"}


def test_a_whole_file_is_never_mistaken_for_blocks(tmp_path: Path) -> None:
    """A file with `idea` and no `run` is an incomplete policy, not a file of blocks."""
    with pytest.raises(BadPolicy, match="not complete"):
        against(written(tmp_path, "latex: {extends: latex}\nidea: " + repr(PLAIN["idea"])))


def test_the_shipped_folder_is_this_checkouts() -> None:
    assert (shipped_root() / "policies").samefile(ROOT)
    assert HEAD.startswith("version: 1")


def test_a_run_limit_that_its_containers_cannot_reach_is_noted(tmp_path: Path) -> None:
    body = "extends: ci-cpu\nrun: {containers: 1}\n"
    notes = [
        one for one in check(load_policy(written(tmp_path, body), ROOT)) if one.level == "note"
    ]
    assert [one.where.split(": ")[1] for one in notes] == ["run.memory", "run.disk"]
    assert "above run.containers x the largest job (3GiB)" in notes[0].what
