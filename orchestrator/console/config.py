"""``aisci config``: each setting, its value here, and where that comes from."""

from __future__ import annotations

import os

from orchestrator.api.preferences import (
    FOLDER_FILE,
    PREFERENCES,
    settings_held,
    user_file,
    variable_of,
)
from orchestrator.console import output as out


def show_config(*, as_json: bool) -> None:
    """Print every setting; the options of a command line come before all of these."""
    held = settings_held(os.environ)
    if as_json:
        for one in held:
            out.as_json({"key": one.key, "value": one.value, "origin": one.origin,
                         "variable": variable_of(one.key)})  # fmt: skip
        return
    rows = [
        (one.key, "" if one.value is None else one.value, one.origin, PREFERENCES[one.key].about)
        for one in held
    ]
    out.table(("setting", "value", "from", "what it is"), rows)
    out.say(
        f"\nan option on the command line counts first, then a variable such as {variable_of('model')},"
        f"\nthen ./{FOLDER_FILE}, then {user_file()}"
    )
