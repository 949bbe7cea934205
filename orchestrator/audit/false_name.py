"""A pinned policy under the name of a shipped one: what it allows more than the one that this aisci ships."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from orchestrator.audit.finding import AuditFinding
from orchestrator.policy.compare import shown_setting, weaker
from orchestrator.policy.shipped import shipped_policy

_TODO = "judge the settings, not the name: `aisci audit RUN --no-weaker-than POLICY` compares them"


def name_findings(where: str, name: str, settings: Mapping[str, Any]) -> Iterator[AuditFinding]:
    """A note where the policy called ``name`` allows more than the shipped one of that name. The command line lowers
    settings, and another version may ship other ones.
    """
    own = shipped_policy(name)
    more = weaker(own.settings, settings) if own else ()
    if more:
        what = (
            f"the policy has the name {name!r}, and allows more than the one that this aisci ships"
        )
        first = ", ".join(f"{one.key}: {shown_setting(one.after)}" for one in more[:3])
        why = f"{len(more)} settings, such as {first}" if len(more) > 3 else first
        yield AuditFinding("policy", where, what, why[:300], _TODO, level="noted")
