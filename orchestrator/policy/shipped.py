"""The whole policies that this program ships, by name."""

from __future__ import annotations

from orchestrator.core.files import shipped_root
from orchestrator.policy.check import only_blocks
from orchestrator.policy.policy import Policy, load_blocks, load_policy

_FOLDER = shipped_root() / "policies"


def shipped_policy(name: str) -> Policy | None:
    """The shipped policy of that name; None where there is none, or the file has blocks alone, as ``latex``."""
    if name not in {path.stem for path in _FOLDER.glob("*.yaml")}:
        return None
    if only_blocks(load_blocks(name, _FOLDER)[1].settings):
        return None
    return load_policy(name, _FOLDER)
