"""Broken or too generous policies: each is refused at its line with what to do, and no secret is printed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import cli
from tests.policy.test_policy import HEAD

TOKEN = "ghp_" + "aB3" * 12
PASSWORD = "hunter2hunter2"
SECRETS = (TOKEN, PASSWORD)
LOADED = "exceeds: {experiment.env: for a test of this}"
UNDER = "extends: ci-cpu\n"  # line 4; what is broken begins on line 5

# (body, line of the error, rule, a word of what is wrong or what to do)
BROKEN = {
    "a number without a unit": (f"{UNDER}run: {{memory: 5}}", 5, "form", "unit"),
    "a unit that is not ours": (f"{UNDER}run: {{memory: 2GB}}", 5, "form", "GiB"),
    "an unknown key": (f"{UNDER}experiment: {{resources: {{memry: 1GiB}}}}", 5, "form", "'memory'"),
    "a key that occurs twice": (f"{UNDER}run: {{containers: 1}}\nrun: {{}}", 6, "form", "twice"),
    "a key without a value": (f"{UNDER}latex:", 5, "form", "no value"),
    "an anchor": (f"{UNDER}run: &all {{containers: 1}}", 5, "syntax", "anchors"),
    "a tag": (f"{UNDER}run: !!map {{containers: 1}}", 5, "syntax", "tags"),
    "no YAML": (f"{UNDER}run: [", 6, "syntax", "not valid YAML"),
    "a list in place of a mapping": (f"{UNDER}run: [1]", 5, "form", "a mapping"),
    "a parent that does not exist": ("extends: defualt", 4, "parent", "'default'"),
    "a parent in a circle": ("extends: ./mine.yaml", 4, "parent", "circle"),
    "the name of a shipped policy": (f"{UNDER}#", 2, "name", "a name of its own"),
    "no parent and few keys": ("run: {containers: 1}", 1, "incomplete", "extends: base"),
    "more memory than the parent": (
        f"{UNDER}experiment: {{resources: {{memory: 4GiB}}}}", 5, "weaker-than-parent", "lower it"),
    "a longer time than the parent": (
        f"{UNDER}experiment: {{time: {{wall: 20d}}}}", 5, "weaker-than-parent", "5m"),
    "a larger budget than the parent": (
        f"{UNDER}idea: {{budget: {{usd: 100000}}}}", 5, "weaker-than-parent", "100000"),
    "nothing kept free": (
        f"{UNDER}run: {{keep_free: {{disk: 0B}}}}", 5, "weaker-than-parent", "1GiB"),
    "a host without a reason": (
        f"{UNDER}experiment: {{network: {{allow: ['paste.org:443']}}}}", 5,
        "weaker-than-parent", "exceeds"),
    "a host that can never be public": (
        f"{UNDER}experiment: {{network: {{allow: ['metadata.google.internal:443']}}}}", 5, "form",
        "never be public"),
    "a wildcard": (
        f"{UNDER}experiment: {{network: {{allow: ['*.org:443']}}}}", 5, "form", "wildcard"),
    "an address": (
        f"{UNDER}experiment: {{network: {{allow: ['169.254.169.254:443']}}}}", 5, "form",
        "IP address"),
    "root": (f"{UNDER}experiment: {{user: '0:0'}}", 5, "form", "unprivileged"),
    "a runtime that nobody tested": (f"{UNDER}experiment: {{runtime: kata}}", 5, "form", "runsc"),
    "the editor on the host": (f"{UNDER}editor: process", 5, "weaker-than-parent", "exceeds"),
    "a reason that says nothing": (
        f"{UNDER}idea: {{wall: 3h}}\nexceeds: {{idea.wall: '.'}}", 6, "exception", "reviewer"),
    "a reason that nothing needs": (
        f"{UNDER}exceeds: {{idea.wall: a study that takes long}}", 5, "exception", "remove"),
    "an exception that is over": (
        f"{UNDER}idea: {{wall: 121m}}\nexceeds:\n  idea.wall: {{reason: a study that takes long, "
        "approver: A. Person, until: 2020-01-01}}".replace("}}", "}"), 7, "expired", "2020-01-01"),
    "an exception without an end": (
        f"{UNDER}idea: {{wall: 121m}}\nexceeds:\n  idea.wall: {{reason: a study that takes long, "
        "approver: A. Person}}".replace("}}", "}"), 7, "form", "until"),
    "a limit that never binds": (f"{UNDER}idea: {{wall: 1s}}", 4, "never-binds", "lower it"),
    "data for LaTeX": (
        f"{UNDER}latex: {{data: read-only}}\nexceeds: {{latex.data: for a test of this}}", 5,
        "not-enforced", "data: none"),
    "a variable that the host obeys": (
        f"{UNDER}experiment: {{env: {{LD_PRELOAD: /x}}}}\n{LOADED}", 5, "not-enforced", "remove it"),
    "a token in env": (
        f"{UNDER}experiment: {{env: {{GITHUB_PAT: {TOKEN}}}}}", 5, "form", "GITHUB_PAT"),
    "a token under a harmless name": (
        f"{UNDER}experiment: {{env: {{LANGUAGE: {TOKEN}}}}}", 5, "form", "LANGUAGE"),
    "an address with a password in env": (
        f"{UNDER}experiment: {{env: {{DATABASE_URL: 'postgres://u:{PASSWORD}@db/x'}}}}", 5, "form",
        "DATABASE_URL"),
    "a password in a model's address": (
        f'{UNDER}model: {{allow: ["openai/x@https://u:{PASSWORD}@llm.corp.example"]}}', 5, "form",
        "VENDOR/MODEL"),
    "a password in an image's name": (
        f"{UNDER}experiment: {{image: 'u:{PASSWORD}@registry.corp.example/x'}}", 5, "form",
        "images list"),
    "a password in a host": (
        f"{UNDER}experiment: {{network: {{allow: ['u:{PASSWORD}@a.org:443']}}}}", 5, "form",
        "api.example.org:443"),
    "a token in place of a runtime": (
        f"{UNDER}experiment: {{runtime: {TOKEN}}}", 5, "form", "runsc"),
    "a token in place of a number": (f"{UNDER}run: {{containers: {TOKEN}}}", 5, "form", "number"),
    "a token in place of a size": (f"{UNDER}run: {{memory: {TOKEN}}}", 5, "form", "GiB"),
    "a token in place of a word": (f"{UNDER}latex: {{data: {TOKEN}}}", 5, "form", "read-only"),
    "a token as an unknown key": (f"{UNDER}run: {{{TOKEN}: 1}}", 5, "form", "unknown key"),
    "a token as an editor": (f"{UNDER}editor: {TOKEN}", 5, "form", "process"),
    "a token within a reason that says something": (
        f"{UNDER}idea: {{wall: 3h}}\nexceeds: {{idea.wall: we call it with {TOKEN} each night}}", 6,
        "form", "looks like a secret"),
    "a token as a reason": (
        f"{UNDER}idea: {{wall: 3h}}\nexceeds: {{idea.wall: {TOKEN}}}", 6, "exception", "reviewer"),
}  # fmt: skip


def checked(path: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli.app, ["policy", "check", str(path), *words])
    return done.exit_code, done.output


def test_there_are_thirty_and_more() -> None:
    assert len(BROKEN) >= 30


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_at_its_line_with_what_to_do_and_shows_no_secret(
    name: str, tmp_path: Path
) -> None:
    body, line, rule, word = BROKEN[name]
    path = tmp_path / "mine.yaml"
    head = HEAD.replace("name: mine", "name: strict") if "shipped" in name else HEAD
    path.write_text(head + body + "\n", "utf-8")
    code, printed = checked(path, "--no-weaker-than", "base", "--json")
    assert code == 2
    errors = [one for one in json.loads(printed)["findings"] if one["level"] == "error"]
    of_rule = [one for one in errors if one["rule"] == rule]
    assert of_rule, errors
    assert {(one["line"], one["file"]) for one in of_rule} == {(line, str(path))}
    assert all(one["column"] >= 1 and one["todo"] for one in errors)
    assert [one for one in of_rule if word in f"{one['what']} {one['todo']}"]
    for form in ("--sarif", "--github", "--here"):
        code, more = checked(path, form)
        assert code == 2
        printed += more
    assert [secret for secret in SECRETS if secret in printed] == []
