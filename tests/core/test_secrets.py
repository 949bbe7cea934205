"""One list of secrets: by name, by value, in their spellings."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from orchestrator.core.errors import BadPolicy
from orchestrator.core.files import shipped_root
from orchestrator.core.secrets import redact, secret_name, secret_value
from orchestrator.policy.policy import load_policy

KEY = "sk-a/b+cDEF1234567890"
SPELLED = {
    "as it is": KEY,
    "in capitals": KEY.upper(),
    "in small letters": KEY.lower(),
    "quoted for a URL": quote(KEY, safe=""),
    "quoted in part": quote(KEY),
    "in JSON": json.dumps(KEY),
    "in base64": base64.b64encode(KEY.encode()).decode(),
    "in base64 after other bytes": base64.b64encode(b"u:" + KEY.encode() + b"!").decode(),
    "in base64 for URLs": base64.urlsafe_b64encode(b"?" + KEY.encode()).decode(),
}


@pytest.mark.parametrize("spelling", sorted(SPELLED))
def test_a_secret_leaves_no_text_in_any_of_its_spellings(spelling: str) -> None:
    text = redact(f"before {SPELLED[spelling]} after", {"OPENAI_API_KEY": KEY})
    assert "[OPENAI_API_KEY]" in text
    assert text.startswith("before ")
    assert text.endswith(" after")
    assert len(text) < 45, "what is left of it says next to nothing"


def test_the_password_of_an_address_is_a_secret_also_as_basic_credentials() -> None:
    environ = {"OPENAI_API_BASE": "http://user:p%40ssword@host/v1"}
    assert "ssword" not in redact("http://user:p%40ssword@host: user:p@ssword", environ)
    basic = base64.b64encode(b"user:p@ssword").decode()
    assert basic[:12] not in redact(f"Authorization: Basic {basic}", environ)


@pytest.mark.parametrize(
    "name",
    [
        "OPENAI_API_KEY",
        "AWS_ACCESS_KEY_ID",
        "GITHUB_PAT",
        "PASSPHRASE",
        "DATABASE_URL",
        "db_password",
    ],
)
def test_a_name_that_stands_for_a_secret_is_known(name: str) -> None:
    assert secret_name(name)


@pytest.mark.parametrize("name", ["PATH", "PWD", "HOME", "KEYBOARD", "MONKEY_BUSINESS", "PATTERN"])
def test_an_ordinary_name_is_none(name: str) -> None:
    assert not secret_name(name)


@pytest.mark.parametrize(
    "value",
    ["ghp_" + "a" * 36, "AKIAABCDEFGHIJKLMNOP", "postgres://u:p@host/db", "-----BEGIN RSA PRIVATE KEY"],
)  # fmt: skip
def test_a_value_in_the_form_of_a_secret_is_known_whatever_its_name(value: str) -> None:
    assert secret_value(value)
    assert not secret_value("https://example.org/a:b")
    assert not secret_value("user@host")


def test_a_policy_names_every_secret_in_its_variables_and_shows_no_value(tmp_path: Path) -> None:
    policy = tmp_path / "mine.yaml"
    policy.write_text(
        "version: 1\nname: mine\ndescription: x\nextends: ci-cpu\nexperiment:\n  env:\n"
        "    AWS_ACCESS_KEY_ID: AKIAABCDEFGHIJKLMNOP\n    ADDRESS: postgres://u:p4ssw0rd@h/d\n"
        "    GITHUB_PAT: x\n    PLAIN: fine\n"
    )
    with pytest.raises(BadPolicy) as refused:
        load_policy(str(policy), shipped_root() / "policies")
    text = str(refused.value)
    assert "AWS_ACCESS_KEY_ID, ADDRESS, GITHUB_PAT look like secrets" in text
    assert "AKIA" not in text
    assert "p4ssw0rd" not in text
