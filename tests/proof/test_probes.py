"""The shipped probes, by their heads; what they say of themselves, read; and what is made of it."""

from __future__ import annotations

import ast
import json
import socket
import struct
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from orchestrator.core.errors import BadFile, UnknownName
from orchestrator.core.files import shipped_root
from orchestrator.policy.policy import load_policy
from orchestrator.proof.judge import judge_probe
from orchestrator.proof.mechanisms import PARTS
from orchestrator.proof.observation import MAX_TEXT, Attempt, Observation, parse_observations
from orchestrator.proof.probe import (
    HELPERS,
    PROBES_FOLDER,
    Probe,
    load_probe,
    select_probes,
    shipped_probes,
)
from orchestrator.proof.running.fixtures import exposed_services, given_json, lowered_limits
from orchestrator.proof.running.host_probes import HOST_PROBES

PROBES = shipped_probes(shipped_root())
HELPER = shipped_root() / PROBES_FOLDER / HELPERS
LIMITS = load_policy("ci-cpu", shipped_root() / "policies").limits("experiment")


# --- the shipped ones --------------------------------------------------------------------------


def test_each_probe_has_a_name_and_a_promise_of_its_own() -> None:
    for key in ("id", "promise"):
        twice = [name for name, n in Counter(getattr(one, key) for one in PROBES).items() if n > 1]
        assert twice == [], key
    assert len(PROBES) > 90


def test_every_part_of_every_control_is_tried() -> None:
    tried = {part for one in PROBES for part in one.parts}
    assert PARTS.keys() - tried == set()


def test_every_family_of_attacks_is_tried() -> None:
    tried = {family for one in PROBES for family in one.families}
    assert set(range(1, 29)) - tried - {21} == set()
    # 21 is of engines that unpack archives out of running containers: test_security_doc.py
    # shows that nothing here asks one to.


@pytest.mark.parametrize("kind", ["experiment", "latex", "editor"])
def test_every_part_that_a_kind_of_container_has_is_tried_in_it(kind: str) -> None:
    elsewhere = ("latex.", "editor.", "gpus.granted", "idea.", "run.", "reserve.", "data.read-only",
                 "network.allow-list", "harvest.", "logs.words", "container.health-check")  # fmt: skip
    tried = {part for one in PROBES for part in one.parts if kind in one.kinds}
    assert [part for part in PARTS if part not in tried and not part.startswith(elsewhere)] == []


def test_the_hosts_half_of_a_probe_is_there_exactly_where_it_is_said_to_be() -> None:
    assert {one.id for one in PROBES if one.judge == "host"} == set(HOST_PROBES)


@pytest.mark.parametrize("probe", [one for one in PROBES if one.file.endswith(".py")], ids=str)
def test_a_probe_is_short_and_its_attempts_are_in_sight(probe: Probe) -> None:
    """So that a security team reads it in a minute."""
    text = (shipped_root() / PROBES_FOLDER / probe.file).read_text()
    assert len(text.splitlines()) <= 80
    called = {node.func.id for node in ast.walk(ast.parse(text))
              if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
    assert called & {"attempt", "call", "tried", "plant", "done", "print"} or probe.judge == "host"


# --- heads -----------------------------------------------------------------------------------------

HEAD = {
    "promise": "Nothing can be mounted.", "tries": "to mount a tmpfs",
    "parts": "container.capabilities", "family": "9", "kinds": "experiment",
}  # fmt: skip


def headed(folder: Path, **keys: str) -> Path:
    head = HEAD | keys
    lines = [head.pop("promise"), "", *(f"{key}: {value}" for key, value in head.items() if value)]
    path = folder / "rights" / "x.py"
    path.parent.mkdir(exist_ok=True)
    path.write_text('"""' + "\n".join(lines) + '\n"""\n')
    return path


def test_a_head_is_read(tmp_path: Path) -> None:
    path = headed(tmp_path, parts="container.capabilities,\n    seccomp.profile", family="9, 10",
                  lower="memory 64MiB, wall 3s, pids 9, cpus 0.5", ends="out of memory")  # fmt: skip
    probe = load_probe(path, tmp_path)
    assert (probe.id, probe.file) == ("rights/x", "rights/x.py")
    assert probe.parts == ("container.capabilities", "seccomp.profile")
    assert (probe.families, probe.kinds, probe.bare) == ((9, 10), ("experiment",), "plain")
    assert dict(probe.lower) == {"memory": 64 << 20, "wall": 3.0, "pids": 9, "cpus": 0.5}
    assert probe.alone, "what lowers a limit has its container to itself"


@pytest.mark.parametrize(
    ("suffix", "begin", "end"), [("tex", "% ", ""), ("md", "", "\n-->\n")], ids=["tex", "md"]
)
def test_a_paper_and_a_models_reply_have_a_head_as_well(
    tmp_path: Path, suffix: str, begin: str, end: str
) -> None:
    lines = [HEAD["promise"], "", *(f"{k}: {v}" for k, v in HEAD.items() if k != "promise")]
    path = tmp_path / "latex" / f"x.{suffix}"
    path.parent.mkdir()
    text = "\n".join(f"{begin}{line}".rstrip() for line in lines)
    path.write_text(("<!--\n" if end else "") + text + (end or "\n\\bye\n"))
    assert load_probe(path, tmp_path).promise == HEAD["promise"]


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"promise": "Short"}, "promise"),
        ({"tries": ""}, "tries: Field required"),
        ({"family": "29"}, "family"),
        ({"family": "nine"}, "family"),
        ({"kinds": "idea"}, "kinds"),
        ({"bare": "naked"}, "bare"),
        ({"judge": "me"}, "judge"),
        ({"ends": "boredom"}, "ends"),
        ({"needs": "luck"}, "needs"),
        ({"lower": "memory much"}, "lower"),
        ({"lower": "luck 3"}, "no limit is called 'luck'"),
        ({"lower": "memory"}, "lower"),
        ({"hurry": "yes"}, "hurry"),
        ({"parts": "container.capability"}, "names 'container.capability'"),
        ({"otherwise": "luck"}, "names 'luck'"),
        ({"tries": "to mount\nand to run"}, "is not `key: value`"),
        ({"tries": "to mount\ntries: to run"}, "occurs twice"),
    ],
)
def test_a_head_out_of_form_is_refused_with_its_file_and_the_reason(
    tmp_path: Path, keys: dict[str, str], why: str
) -> None:
    path = headed(tmp_path, **keys)
    with pytest.raises(BadFile) as refused:
        load_probe(path, tmp_path)
    assert str(path) in str(refused.value)
    assert why in str(refused.value)


@pytest.mark.parametrize("text", ["", "x = 1\n", "def (:\n", '"""Only a promise is made."""\n'])
def test_a_file_without_a_head_is_refused(tmp_path: Path, text: str) -> None:
    path = headed(tmp_path)
    path.write_text(text)
    with pytest.raises(BadFile, match="head"):
        load_probe(path, tmp_path)


def test_probes_are_chosen_by_id_folder_part_and_control() -> None:
    for name in ("rights/mounts", "rights", "container.capabilities", "container"):
        found = select_probes(PROBES, (name,))
        assert "rights/mounts" in {one.id for one in found}
        assert all(
            name in (one.id, one.id.partition("/")[0], *one.parts)
            or name in {part.partition(".")[0] for part in one.parts}
            for one in found
        )
    assert select_probes(PROBES, ()) == PROBES
    with pytest.raises(UnknownName, match="rights/mounts"):
        select_probes(PROBES, ("rights/mount",))


# --- what is laid out -----------------------------------------------------------------------------


def test_no_limit_is_raised_for_a_probe_and_what_is_lowered_is_told() -> None:
    probe = next(one for one in PROBES if one.id == "memory/through_tmp")
    less, told = lowered_limits(LIMITS, probe)
    assert less.tmp == LIMITS.tmp, "more than the policy has was asked for"
    assert less.memory == 48 << 20
    assert "memory 48MiB for 3GiB" in told
    numbers = ("memory", "tmp", "shm", "workspace", "wall", "cpu_time", "pids", "cpus", "inodes")
    for one in PROBES:
        now = lowered_limits(LIMITS, one)[0]
        assert all(getattr(now, name) <= getattr(LIMITS, name) for name in numbers), one.id


def test_a_probe_is_told_its_key_in_two_pieces_and_the_doors_close_again() -> None:
    with exposed_services() as open_doors:
        told = given_json(LIMITS, open_doors, bare=False)
        key = "".join(open_doors.key)
        assert key.encode() not in told
        assert "".join(json.loads(told)["key"]) == key
        shared = Path("/dev/shm", open_doors.abstract)
        assert shared.exists() == shared.parent.is_dir()
        socket.create_connection(("127.0.0.1", open_doors.tcp)).close()
    assert open_doors.came == ["tcp"]
    assert not shared.exists()
    assert not open_doors.own.exists()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", open_doors.tcp))


# --- what a probe says -------------------------------------------------------------------------------


def said(folder: Path, program: str, *, bare: bool = False) -> str:
    """What a program with the probes' helpers writes, here and now."""
    for path in HELPER.glob("*.py"):
        (folder / path.name).write_bytes(path.read_bytes())
    known = {"bare": bare, "network": []}
    (folder / "given.json").write_text(json.dumps(known))
    (folder / "x.py").write_text(program)
    ran = subprocess.run([sys.executable, str(folder / "x.py")], capture_output=True, text=True,
                         check=True, cwd=folder)  # fmt: skip
    return ran.stdout


@pytest.mark.program
def test_an_attempt_gets_through_unless_it_fails_or_says_no(tmp_path: Path) -> None:
    seen = parse_observations(
        said(
            tmp_path,
            "from probing import attempt, done, stop\n"
            "attempt('nothing', lambda: None)\n"
            "attempt('words', lambda: 'got it')\n"
            "attempt('no', lambda: False)\n"
            "attempt('error', lambda: open('/no/such'))\n"
            "attempt('value', lambda: int('x'))\n"
            "attempt('stopped', lambda: stop('for a reason'))\n"
            "done()\n",
        ),
        alone="x",
    )["x"]
    assert seen.done
    assert [(one.name, one.through, one.saw) for one in seen.attempts] == [
        ("nothing", True, ""),
        ("words", True, "got it"),
        ("no", False, ""),
        ("error", False, "No such file or directory"),
        ("value", False, "invalid literal for int() with base 10: 'x'"),
        ("stopped", False, "for a reason"),
    ]


@pytest.mark.program
@pytest.mark.skipif(sys.platform != "linux", reason="errors have the kernel's numbers")
def test_a_call_gets_through_unless_it_is_refused_and_one_that_is_not_there_is_no_attempt(
    tmp_path: Path,
) -> None:
    program = (
        "import errno, os, signal\n"
        "from kernel import tried\n"
        "tried('taken', lambda: 0)\n"
        "tried('arguments', lambda: errno.EFAULT)\n"
        "for number in (errno.EPERM, errno.EACCES): tried(str(number), lambda: number)\n"
        "tried('killed', lambda: os.kill(os.getpid(), signal.SIGSYS))\n"
        "tried('absent', lambda: errno.ENOSYS)\n"
    )
    for bare in (False, True):
        seen = parse_observations(said(tmp_path, program, bare=bare), alone="x")["x"]
        through = {one.name for one in seen.through}
        assert through == {"taken", "arguments"}
        names = {"taken", "arguments", "1", "13", "killed"}
        assert {one.name for one in seen.attempts} == names | (set() if bare else {"absent"})


@pytest.mark.program
def test_a_packet_that_left_is_through_whoever_answers(tmp_path: Path) -> None:
    """Refused is answered; only a kernel that finds no way at all has let nothing go."""
    program = (
        "import errno\n"
        "from probing import attempt\n"
        "import sending\n"
        "attempt('refused', lambda: sending.tcp('127.0.0.1', 1))\n"
        "def no_way(*_): raise OSError(errno.ENETUNREACH, 'Network is unreachable')\n"
        "sending.socket.socket.connect = no_way\n"
        "attempt('no way', lambda: sending.tcp('127.0.0.1', 1))\n"
    )
    seen = parse_observations(said(tmp_path, program), alone="x")["x"]
    assert [(one.name, one.through) for one in seen.attempts] == [
        ("refused", True),
        ("no way", False),
    ]


@pytest.mark.program
def test_the_stand_in_for_a_resolver_answers_what_it_was_asked(tmp_path: Path) -> None:
    program = (
        "import socket, threading\n"
        "import world\n"
        "server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); server.bind(('127.0.0.1', 0))\n"
        "threading.Thread(target=world.resolve, args=(server,), daemon=True).start()\n"
        "one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); one.settimeout(5)\n"
        "for kind in (1, 28):\n"
        "    name = b'\\1a\\7example\\0' + bytes([0, kind, 0, 1])\n"
        "    one.sendto(b'\\x12\\x34\\1\\0\\0\\1' + bytes(6) + name, server.getsockname())\n"
        "    print(one.recv(512).hex())\n"
    )
    address, nothing = (bytes.fromhex(line) for line in said(tmp_path, program).splitlines())
    assert struct.unpack(">HHHHHH", address[:12]) == (0x1234, 0x8180, 1, 1, 0, 0)
    assert address.endswith(socket.inet_aton("93.184.216.34"))
    assert struct.unpack(">HHHHHH", nothing[:12]) == (0x1234, 0x8180, 1, 0, 0, 0)


def test_what_a_container_writes_is_read_by_probe_and_the_rest_is_passed_over() -> None:
    lines = [
        {"probe": "a/x", "attempt": "to mount", "through": False, "saw": "no"},
        {"probe": "b/y", "attempt": "to run", "through": True, "saw": "y" * 10_000},
        {"probe": "a/x", "planted": "link"},
        {"probe": "a/x", "fair": "file"},
        {"probe": "a/x", "done": True},
        {"probe": "b/y", "why": "Traceback"},
        {"probe": "a/x", "attempt": "more", "through": "yes"},
        {"probe": "a/x", "surprise": 1},
    ]
    noise = [
        "",
        "words",
        "{",
        '{"probe": 1}',
        "[" * 100_000,
        "{" * 100_000,
        "\x1b[2J",
        '{"a":' * 9000,
    ]
    text = "\n".join([*noise, *map(json.dumps, lines)])
    seen = parse_observations(text)
    assert seen.keys() == {"a/x", "b/y"}
    assert seen["a/x"] == Observation(
        attempts=(Attempt("to mount", through=False, saw="no"),),
        planted=("link",), fair=("file",), done=True,
    )  # fmt: skip
    assert len(seen["b/y"].attempts[0].saw) == MAX_TEXT
    assert (seen["b/y"].done, seen["b/y"].why) == (False, "Traceback")
    assert parse_observations("", alone="a/x") == {"a/x": Observation()}


@any_of(st.text())
def test_no_output_at_all_breaks_the_reader(text: str) -> None:
    assert parse_observations(text, alone="a/x")["a/x"].attempts == ()
    parse_observations('{"probe": "a/x", "attempt": ' + text)


# --- bare and guarded, side by side ---------------------------------------------------------------------

THROUGH, STOPPED = (
    Attempt("it", through=True, saw="got it"),
    Attempt("it", through=False, saw="refused"),
)
BARE = Observation(attempts=(THROUGH,), done=True)


def probe(**more: Any) -> Probe:
    known: dict[str, Any] = {
        "id": "a/x", "file": "a/x.py", "promise": "", "tries": "", "parts": (), "families": (),
        "kinds": ("experiment",),
    }  # fmt: skip
    return Probe(**known | more)


def test_what_got_through_bare_and_not_guarded_is_held() -> None:
    state, saw, why = judge_probe(
        probe(), "runc", BARE, Observation(attempts=(STOPPED,), done=True)
    )
    assert (state, saw, why) == ("held", "refused", "")


@pytest.mark.parametrize(
    ("bare", "why"),
    [
        (Observation(attempts=(STOPPED,), done=True), "it: refused"),
        (
            Observation(attempts=(THROUGH, Attempt("also", through=False, saw="no")), done=True),
            "also: no",
        ),
        (Observation(attempts=(THROUGH,)), "ended early"),
        (Observation(attempts=(THROUGH,), why="exit code 1"), "exit code 1"),
        (Observation(done=True), "ended early"),
        (Observation(), "ended early"),
    ],
)
@pytest.mark.parametrize(
    "guarded", [BARE, Observation(attempts=(STOPPED,), done=True), Observation()]
)
def test_what_does_not_get_through_bare_is_no_probe_whatever_else_it_does(
    bare: Observation, guarded: Observation, why: str
) -> None:
    state, _, said = judge_probe(probe(), "runc", bare, guarded)
    assert state == "not provable here"
    assert "no probe here" in said
    assert why in said


def test_one_attempt_of_many_that_gets_through_is_not_held() -> None:
    guarded = Observation(
        attempts=(STOPPED, Attempt("also", through=True, saw="a shell")), done=True
    )
    bare = Observation(attempts=(THROUGH, Attempt("also", through=True)), done=True)
    state, saw, _ = judge_probe(probe(ends=("timed out",)), "runc", bare, guarded)
    assert (state, saw) == ("did not hold", "got through: also: a shell")


@pytest.mark.parametrize(
    ("guarded", "why"),
    [
        (Observation(), "ended early (no verdict); not tried: it"),
        (Observation(done=True), "not tried: it"),
        (Observation(attempts=(STOPPED,), verdict="failed"), "ended early (failed)"),
        (Observation(attempts=(STOPPED,), verdict="out of memory"), "ended early (out of memory)"),
        (Observation(verdict="failed", why="Traceback"), "Traceback"),
    ],
)
def test_a_probe_that_does_not_come_to_its_end_shows_nothing(
    guarded: Observation, why: str
) -> None:
    state, _, said = judge_probe(probe(ends=("timed out",)), "runc", BARE, guarded)
    assert state == "did not hold"
    assert why in said


def test_a_job_that_the_host_ended_as_it_should_is_held() -> None:
    ended = Observation(verdict="timed out")
    state, saw, _ = judge_probe(probe(ends=("timed out",)), "runc", BARE, ended)
    assert (state, saw) == ("held", "the host ended it: timed out")
    through = Observation(attempts=(THROUGH,), verdict="timed out")
    assert judge_probe(probe(ends=("timed out",)), "runc", BARE, through)[0] == "did not hold"


def test_an_exception_of_gvisors_is_told_there_and_excuses_nothing_elsewhere() -> None:
    one = probe(otherwise="inodes in /tmp")
    state, saw, why = judge_probe(one, "runsc", BARE, BARE)
    assert (state, saw) == ("held otherwise", "got through: it: got it")
    assert "storage.inodes does not apply there" in why
    assert judge_probe(one, "runc", BARE, BARE)[0] == "did not hold"
    assert judge_probe(probe(), "runsc", BARE, BARE)[0] == "did not hold"
