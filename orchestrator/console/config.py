"""``aisci config``: each setting, its value here, and where that comes from."""

from __future__ import annotations

import os
from pathlib import Path

from orchestrator.api.preferences import (
    FOLDER_FILE,
    PREFERENCES,
    settings_held,
    user_file,
    variable_of,
)
from orchestrator.console import output as out
from orchestrator.core.strict_toml import Flat

_EXAMPLE = """echo 'scale = "smoke"'"""


def show_config(*, as_json: bool) -> None:
    """Print every setting; the options of a command line come before all of these."""
    held = settings_held(os.environ)
    if as_json:
        for one in held:
            out.as_json({"key": one.key, "value": one.value, "origin": one.origin,
                         "variable": variable_of(one.key)})  # fmt: skip
        return
    rows = [(one.key, _shown(one.value), one.origin, PREFERENCES[one.key].about) for one in held]
    out.table(("setting", "value", "from", "what it is"), rows)
    out.say(
        f"\nan option on the command line counts first, then a variable such as {variable_of('model')},"
        f"\nthen ./{FOLDER_FILE}, then {user_file()}"
    )
    if not (Path(FOLDER_FILE).exists() or user_file().exists()):
        out.say(f"\nno file has settings yet; one line makes one: {_EXAMPLE} > {FOLDER_FILE}")


def _shown(value: Flat | None) -> str:
    """A value as a file has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
