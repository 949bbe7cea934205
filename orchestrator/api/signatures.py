"""The signatures that this machine demands of a run's policy and images, for its record."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.api.signed_images import require_signed_images
from orchestrator.api.signed_policies import require_signed_policy, require_signed_still
from orchestrator.research.run_spec import RunSpec


def with_signatures(spec: RunSpec, *, pinned: bool = False) -> RunSpec:
    """``spec`` with what signed its policy and images, as far as this machine demands it; a ``pinned`` policy by the
    signature in its record. Raises as these do.
    """
    known = next((one for one in spec.signatures if one.of == "policy"), None)
    policy = spec.policy
    found = require_signed_still(policy, known) if pinned else require_signed_policy(policy)
    images = require_signed_images(spec.images)
    return replace(spec, signatures=(*([found] if found else []), *images))
