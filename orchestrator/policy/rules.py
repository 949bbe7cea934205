"""The rules of policies by name: what programs read in a finding. A name keeps its meaning over versions."""

from __future__ import annotations

from typing import Final

POLICY_RULES: Final = {
    "syntax": "A policy file is plain YAML in UTF-8.",
    "form": "Each key is known, and its value has the key's form.",
    "incomplete": "A policy that extends nothing has every key.",
    "parent": "`extends` names a policy that can be followed.",
    "name": "No other policy has the name of a shipped one.",
    "weaker-than-parent": "A policy allows no more than the one it extends, unless it says why.",
    "exception": "A reason under `exceeds` can be judged, and a setting needs it.",
    "expired": "No exception is over.",
    "expires-soon": "No exception ends within the time that was asked for.",
    "model": "A policy allows each model that is asked.",
    "never-binds": "Each limit can be reached.",
    "not-enforced": "Each setting can be enforced.",
    "no-effect": "A limit of the run is below what its containers could use together.",
    "no-ceiling": "A policy extends another one.",
    "editor-on-host": "The editor runs in a container.",
    "above-machine": "No limit is above what this machine has.",
    "above-ceiling": "No policy allows more than the ceiling of this machine.",
    "weaker-than-ceiling": "A policy allows no more than the one it is compared with.",
    "differs": "A setting is the one of the policy that it is compared with.",
}
"""What each rule asks for."""
