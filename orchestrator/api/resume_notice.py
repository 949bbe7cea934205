"""What a record has this machine do next, said before it is done: somebody else may have written it."""

from __future__ import annotations

import os

from orchestrator.core.sanitize import plain_line
from orchestrator.core.secrets import without_user
from orchestrator.core.units import number_text
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import Pins
from orchestrator.research.pins import policy_of


def resume_notice(paths: RunPaths, pins: Pins) -> str:
    """One sentence: the policy, the model's server and the data that the record names."""
    policy, model = policy_of(pins), pins.model()
    server = os.environ.get("OPENAI_API_BASE") or model.server
    asked = plain_line(f"{pins.model_names}{f' at {without_user(server)}' if server else ''}")
    data = ", ".join(plain_line(pin.folder) for pin in pins.data)
    owner = paths.folder.stat().st_uid
    words = (
        f"continues {paths.folder}",
        f"(made by user {owner}, not by you)" if owner != os.geteuid() else "",
        f"under its policy {plain_line(pins.policy.name)} {pins.policy.hash[:12]}",
        f"(up to {number_text(policy.run.usd)} US dollars, {policy.run.containers} containers at once),",
        f"asks {asked}{f', reads {data}' if data else ''}",
    )
    return " ".join(filter(None, words))
