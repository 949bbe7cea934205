"""The signatures that this machine demands of a run's policy and images, for its record."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.api.signed_images import require_signed_images
from orchestrator.api.signed_policies import require_signed_policy
from orchestrator.research.run_spec import RunSpec


def with_signatures(spec: RunSpec, *, pinned: bool = False) -> RunSpec:
    """``spec`` with what signed its policy and images, as far as this machine demands it. A ``pinned`` policy was
    asked for its signature when the run began. Raises as these do.
    """
    known = [one for one in spec.signatures if one.of == "policy"]
    asked = None if pinned else require_signed_policy(spec.policy)
    policy = known if pinned else [asked] if asked else []
    return replace(spec, signatures=(*policy, *require_signed_images(spec.images)))
