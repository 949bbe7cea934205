"""The runbook, the glossary and the recipes for other people's tools say what the program does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.job import KINDS
from orchestrator.core.strict_yaml import read
from orchestrator.sandbox.engine import labels
from orchestrator.sandbox.images import build
from orchestrator.sandbox.job.spec import DATA_FOLDERS, PROXY_SOCKET, WORKDIR
from orchestrator.sandbox.storage.helper import helper_body
from tests.support.help_words import commands_in, faults_of_words
from tests.support.places import ROOT

DOCS = ROOT / "docs"
FALCO: list[dict[str, Any]] = read(DOCS / "recipes" / "falco-aisci.yaml").data


def test_the_glossary_has_every_label() -> None:
    page = (DOCS / "glossary.md").read_text("utf-8")
    known = [labels.RUN, labels.JOB, labels.KIND, labels.OWNER, labels.DEADLINE]
    known += [build.NAME_LABEL, build.RECIPE_LABEL, build.BASE_LABEL]
    assert [one for one in known if f"`{one}`" not in page] == []
    assert [one for one in KINDS if f"`{one}`" not in page] == []


def test_the_glossary_is_in_the_words_of_the_program() -> None:
    page = (DOCS / "glossary.md").read_text("utf-8")
    words = {
        line.split(" | ")[0].strip("| ") for line in page.splitlines() if line.startswith("| ")
    }
    wanted = {"gate", "harvest", "keeper", "maker", "sentinel", "head", "seal", "hold"}
    assert wanted <= words


def test_each_rule_for_falco_is_whole_and_names_labels_and_kinds_that_there_are() -> None:
    rules = [one for one in FALCO if "rule" in one]
    assert len(rules) == 5
    for rule in rules:
        assert {"rule", "desc", "condition", "output", "priority", "tags"} == set(rule)
        assert "aisci" in rule["tags"]
    text = (DOCS / "recipes" / "falco-aisci.yaml").read_text("utf-8")
    used = set(re.findall(r"container\.label\[([\w.]+)\]", text))
    assert used <= {labels.RUN, labels.JOB, labels.KIND}
    (jobs,) = [one["condition"] for one in FALCO if one.get("macro") == "aisci_job"]
    assert set(re.findall(r"\((.*)\)", jobs)[0].split(", ")) == set(KINDS)


def test_what_docker_bench_is_expected_to_say_of_the_helpers_is_what_they_ask_for() -> None:
    page = (DOCS / "monitoring.md").read_text("utf-8")
    source = (ROOT / "orchestrator" / "sandbox" / "storage" / "volumes.py").read_text("utf-8")
    for asked in re.findall(r'"?CapAdd"?\]? ?= ?\[(.*?)\]', source):
        for capability in re.findall(r'"(\w+)"', asked):
            assert f"`{capability}`" in page, capability
    for rule in re.findall(r'"DeviceCgroupRules"\] = \[(.*?)\]', source):
        for device in re.findall(r'"([bc] [\d:*]+) rwm"', rule):
            assert f"`{device}`" in page, device
    host = helper_body("image", {})["HostConfig"]
    assert (host["NetworkMode"], host["ReadonlyRootfs"], host["CapDrop"]) == ("none", True, ["ALL"])
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert not {"Privileged", "PortBindings", "Binds"} & host.keys()


@pytest.mark.parametrize("page", ["runbook.md", "events.md", "monitoring.md", "glossary.md"])
def test_each_command_of_these_pages_is_one_of_the_program_with_options_that_it_has(
    page: str,
) -> None:
    text = (DOCS / page).read_text("utf-8")
    found = commands_in(text)
    assert [fault for words in found for fault in faults_of_words(words)] == []


def test_a_command_that_is_none_would_be_seen() -> None:
    (words,) = commands_in("say `aisci audit RUN --loudly`")
    assert list(faults_of_words(words)) == ["no option --loudly: aisci audit RUN --loudly"]
    assert list(faults_of_words(["vanish"])) == ["no command: aisci vanish"]


APPARMOR = DOCS / "recipes" / "apparmor-aisci-job"


def rules_of_profile() -> list[str]:
    text = re.sub(r"#.*", "", APPARMOR.read_text("utf-8"))
    return [
        " ".join(one.split())
        for one in re.sub(r"^.*?\{\n|\}\s*$", "", text, flags=re.DOTALL).split(",\n")
    ]


def test_the_apparmor_profile_lets_a_job_write_where_it_has_to_and_nowhere_else() -> None:
    rules = [one for one in rules_of_profile() if one.startswith("/")]
    written = {rule.split()[0] for rule in rules if "w" in rule.split()[-1]}
    folders = {"/tmp/**", "/dev/shm/**", "/memfd:*", "/workspace/**"}
    devices = {one for one in written if one.startswith("/dev/") and one != "/dev/shm/**"}
    assert written - devices == {*folders, PROXY_SOCKET}
    assert f"{WORKDIR}/".startswith("/workspace/")
    denied = [one for one in rules_of_profile() if one.startswith("deny /")]
    for folder in DATA_FOLDERS:
        (rule,) = [one for one in denied if one.split()[1] == f"{folder}/**"]
        assert "w" in rule.split()[-1]


def test_the_apparmor_profile_grants_no_capability_mount_or_other_profile() -> None:
    words = {one.split()[0] for one in rules_of_profile() if one and not one.startswith("/")}
    assert words <= {"deny", "owner", "network", "signal", "ptrace", "unix"}
    denied = {one.removeprefix("deny ") for one in rules_of_profile() if one.startswith("deny ")}
    assert {"capability", "mount", "umount", "remount", "pivot_root", "change_profile"} <= denied
    families = {one.split()[1] for one in rules_of_profile() if one.startswith("network")}
    assert families == {"unix", "netlink", "inet", "inet6"}
    runnable = [one for one in rules_of_profile() if one.startswith("/") and "x" in one.split()[-1]]
    assert sorted(one.split()[0] for one in runnable) == [
        "/tmp/**",
        "/{bin,sbin,lib,lib32,lib64,libx32,usr,opt}/**",
    ]


@pytest.mark.program
def test_debians_parser_reads_the_apparmor_profile(tmp_path: Path) -> None:
    parser = shutil.which("apparmor_parser", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if parser is None:
        pytest.skip("no apparmor_parser on this machine")
    empty = tmp_path / "parser.conf"
    empty.touch()
    reading = [parser, "--config-file", str(empty), "-Q", "-K"]

    def read_profile(text: str, *more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*reading, *more], input=text, capture_output=True, text=True, check=False
        )

    text = APPARMOR.read_text("utf-8")
    done = read_profile(text)
    assert done.returncode == 0, done.stderr
    assert read_profile(text, "-N").stdout.split() == ["aisci-job"]
    assert read_profile(text.replace("deny mount,", "deny mount")).returncode != 0
