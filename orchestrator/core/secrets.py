"""What counts as a secret, by the name of a variable and by its value, and how a value may be spelled.

The one list: policies refuse such variables, and replies, errors and logs are redacted by it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, unquote, urlsplit

_NAME = re.compile(
    r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|DSN)(?:_ID)?$"
    r"|(?:^|_)(?:PAT|PASS|AUTH|COOKIE|PWD)$|(?:DATABASE|CONNECTION|WEBHOOK)_(?:URL|URI|STRING)$",
    re.IGNORECASE,
)
# The working directory is no password.
_NO_SECRETS = frozenset({"PWD", "OLDPWD"})
# The forms of keys that vendors hand out, private keys, signed tokens, addresses with a password.
_VALUE = re.compile(
    r"(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hf_|sk-(?:ant-|proj-)?|AIza)[A-Za-z0-9_-]{16,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|-----BEGIN [A-Z ]{0,40}PRIVATE KEY"
    r"|eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.|://[^/@\s:]{0,200}:[^/@\s]{1,200}@"
)
_SHORTEST = 6
"""Characters; a shorter value would also occur in ordinary words."""


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret."""
    return name not in _NO_SECRETS and _NAME.search(name) is not None


def without_user(address: str) -> str:
    """An address without the user and password that it may hold."""
    return re.sub(r"//[^/@]*@", "//", address)


def without_secrets(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a tool of the host gets: no key, but an address may hold a password."""
    return {name: value for name, value in environ.items() if not secret_name(name)}


def secret_value(value: str) -> bool:
    """Whether a value has the form of a secret, whatever its name."""
    return _VALUE.search(value) is not None


# Also of a value that was cut: a password whose @ is gone, unless it is a port; and without a scheme.
_SHOWN = re.compile(
    rf"{_VALUE.pattern}"
    r"|://[^/@\s:'\"]{0,200}:(?!\d{1,5}(?:[^\d]|$))[^/@\s'\"]{4,200}@?"
    r"|(?<![\w/])[\w.-]{1,64}:[^/@\s'\"]{4,200}@(?=[\w.-])"
)


def without_values(text: str) -> str:
    """``text`` of a message with ``[…]`` in place of what has the form of a secret."""
    return _SHOWN.sub("[…]", text)


def secrets_in(environ: Mapping[str, str]) -> dict[str, str]:
    """Each secret of ``environ`` with its variable's name; of an address, its user information."""
    found: dict[str, str] = {}
    for name, value in environ.items():
        bare = value.strip()
        for part in _user_information(bare):
            found[part] = name
        if secret_name(name) or (secret_value(bare) and "://" not in bare):
            found[bare] = name
    return {secret: name for secret, name in found.items() if len(secret) >= _SHORTEST}


def _user_information(value: str) -> Iterator[str]:
    """The password of an address, and it with its user, as `Basic` credentials join them."""
    if "@" not in value or "://" not in value:
        return
    try:
        parts = urlsplit(value)
    except ValueError:
        return
    if parts.password:
        yield unquote(parts.password)
        yield f"{unquote(parts.username or '')}:{unquote(parts.password)}"


def spellings(secret: str) -> tuple[str, ...]:
    """``secret`` as texts may hold it: itself, URL-quoted, JSON-escaped, in base64."""
    found = {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}
    for before in range(3):  # its place among the bytes that were encoded together
        code = base64.b64encode(b"\0" * before + secret.encode("utf-8", "replace")).decode()
        # Without the letters that its neighbours' bits have a part in.
        core = code[(0, 2, 3)[before] : len(code) - (0 if code[-1] != "=" else 3)].rstrip("=")
        if len(core) > _SHORTEST:
            found |= {core, core.replace("+", "-").replace("/", "_")}
    return tuple(sorted(found, key=len, reverse=True))


def redact(text: str, environ: Mapping[str, str]) -> str:
    """``text`` with ``[NAME]`` in place of each secret of ``environ``, in any case and spelling."""
    known = secrets_in(environ)
    for secret in sorted(known, key=len, reverse=True):
        pattern = "|".join(re.escape(one) for one in spellings(secret))
        mark = f"[{known[secret]}]".replace("\\", "")
        text = re.sub(pattern, mark, text, flags=re.IGNORECASE)
    return text
