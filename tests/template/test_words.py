"""A template's words are its own: marks of a blank and words of a shipped template are refused."""

from __future__ import annotations

import json
import re

import pytest

from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import shipped_root
from orchestrator.template.contract import require_contract, rule_results, words
from orchestrator.template.folder import MANIFEST, PAPER, shipped_templates
from orchestrator.template.template import Template, from_files, load_template
from tests.support.places import DATA


def mine(base: str = "quick", **changed: bytes) -> Template:
    """The small test template, or a shipped one, under a name of its own with some files changed."""
    source = f"{DATA}/quick/" if base == "quick" else base
    files = dict(load_template(source, shipped_root()).files)
    files |= {path.replace("__", "."): data for path, data in changed.items()}
    files[MANIFEST] = re.sub(rb"(?m)^name: .*$", b"name: mine", files[MANIFEST])
    return from_files(files, "mine", "./mine")


def told(template: Template) -> dict[str, str]:
    return {one.where: one.what for one in words.borrowed(template)}


@pytest.mark.parametrize("name", shipped_templates(shipped_root()))
def test_a_shipped_template_may_say_what_it_says(name: str) -> None:
    assert told(load_template(name, shipped_root())) == {}


def test_a_copy_is_told_each_file_that_still_speaks_of_the_others_subject() -> None:
    assert told(mine("seir")) == {
        "prompt.json": "prompt.json is still seir's, word for word",
        MANIFEST: "title, description, question of template.yaml: still seir's, word for word",
        "seed_ideas.json": "seed_ideas.json is still seir's, word for word",
        "library.json": "library.json is still seir's, word for word",
        PAPER: "the references of latex/template.tex are still seir's, word for word",
    }


def test_blanks_and_line_ends_are_no_rewriting() -> None:
    ideas = json.loads(load_template("seir", shipped_root()).text("seed_ideas.json"))
    one = json.dumps(
        [{**ideas[0], "Name": "other", "Title": "Other"}, {**ideas[1], "Experiment": "Mine."}]
    )
    found = told(mine(seed_ideas__json=one.encode()))
    assert found == {
        "seed_ideas.json": "1 of 2 ideas of seed_ideas.json are still seir's, word for word"
    }


def test_what_is_rewritten_is_not_told_again() -> None:
    prompt = json.dumps({"system": "You count.", "task_description": "Count."}).encode()
    found = told(mine("seir", prompt__json=prompt, library__json=b"[]"))
    assert set(found) == {MANIFEST, "seed_ideas.json", PAPER}
    assert told(mine()) == {}


def test_a_system_prompt_that_several_shipped_templates_have_is_nobodys() -> None:
    shipped = [
        load_template(name, shipped_root()).task().system
        for name in shipped_templates(shipped_root())
    ]
    common = next(one for one in shipped if shipped.count(one) > 1)
    prompt = json.dumps({"system": common, "task_description": "Count."}).encode()
    assert told(mine(prompt__json=prompt)) == {}


def test_a_template_that_extends_one_keeps_its_words() -> None:
    """But not its description: the manifest is always its own."""
    seir = dict(load_template("seir", shipped_root()).files)
    comment = b"# The files that are not its own are those of seir.\n"
    manifest = comment + re.sub(rb"(?m)^name: .*$", b"name: mine", seir[MANIFEST])
    manifest = manifest.replace(b"title: ", b"title: My ")
    found = told(from_files({**seir, MANIFEST: manifest}, "mine", "./mine"))
    assert found == {}


def test_each_mark_is_named_with_its_file_and_line_and_stops_a_run() -> None:
    code = load_template(f"{DATA}/quick/", shipped_root()).files["experiment.py"]
    template = mine(experiment__py=b"# FILL IN: more\n" + code)
    (finding,) = words.blank(template)
    assert (finding.where, finding.what) == ("experiment.py:1", "FILL IN: more")
    with pytest.raises(BadTemplate, match="violates its contract") as error:
        require_contract(template)
    assert "experiment.py:1: FILL IN: more" in error.value.why
    require_contract(template, only_programs=True)  # a baseline, an image: nobody reads words yet


def test_words_that_cannot_be_read_are_the_business_of_other_rules() -> None:
    template = mine(prompt__json=b"{", seed_ideas__json=b"\xff", library__json=b'{"a": 1}')
    assert told(template) == {}
    assert [rule.name for rule in rule_results(template) if rule.words] == ["blank", "borrowed"]
