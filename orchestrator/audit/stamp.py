"""The time stamp on a run's signature: whether it is one, of this signature, by the authority that is named."""

from __future__ import annotations

import os

from orchestrator.audit.finding import AuditFinding
from orchestrator.core.untrusted import read_plain
from orchestrator.record.paths import RunPaths
from orchestrator.record.timestamp import MOST_STAMP, StampAuthority, checked_stamp, stamped_at

MOST_SIGNATURE = 16 << 20  # bytes
_AGAIN = "`aisci stamp RUN` has this signature stamped, with the present time"


def stamp_state(
    paths: RunPaths, authority: StampAuthority | None
) -> tuple[str, tuple[AuditFinding, ...]]:
    """The state of the stamp as text, "" where there is none to speak of; and its findings.

    A stamp of another signature is no fault by itself: the run was signed again. Asked for by ``authority``, it is.
    """
    path = paths.stamp
    if not os.path.lexists(path):
        if authority is None:
            return "", ()
        what = "there is no time stamp for the authority to vouch for"
        return "none", (AuditFinding("anchor", path.name, what, todo=_AGAIN),)
    try:
        answer, signed = read_plain(path, MOST_STAMP), read_plain(paths.signature, MOST_SIGNATURE)
        claimed = stamped_at(answer, signed)
        if authority is None:
            return f"claims {claimed:%Y-%m-%d %H:%M:%S} UTC; give --stamped-by to check it", ()
        at = checked_stamp(answer, signed, authority)
    except (ValueError, OSError) as error:
        why = (error.strerror or "it cannot be read") if isinstance(error, OSError) else str(error)
        what = "the time stamp is none of this signature by this authority"
        if authority is None:
            return f"not usable: {why}", (
                AuditFinding(
                    "anchor", path.name, "the time stamp says nothing", why, _AGAIN, "noted"
                ),
            )
        return f"not vouched for by {authority.name}", (
            AuditFinding("anchor", path.name, what, why, _AGAIN),
        )
    return f"{at:%Y-%m-%d %H:%M:%S} UTC, vouched for by {authority.name}", ()
