"""Whether one system-call profile allows no more than another."""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.policy.seccomp import _GVISOR, Argument, Profile, SyscallRule, under


def no_weaker(before: Profile, after: Profile) -> bool:
    """Whether ``after`` provably allows no call that ``before`` does not, under each runtime.

    Sound and not complete: each allowing rule of ``after`` must be found in ``before`` under the
    same call, with the same conditions or fewer, and no rule of ``before`` may refuse some of
    that call again.
    """
    given = ((before, after), (under(before, _GVISOR), under(after, _GVISOR)))
    return all(_covers(old, new) for old, new in given)


def _covers(before: Profile, after: Profile) -> bool:
    native = {*before.architectures, *after.architectures}
    native |= {one.architecture for profile in (before, after) for one in profile.archMap}
    if any(not after.machines(name) <= before.machines(name) for name in native):
        return False
    refused = {name for rule in before.syscalls if not _allows(rule) for name in rule.names}
    allowed = dict.fromkeys(_allowed(before))
    return all(
        name not in refused
        and any(name == known and conditions >= fewer for known, fewer in allowed)
        for name, conditions in _allowed(after)
    )


def _allowed(profile: Profile) -> Iterator[tuple[str, frozenset[Argument]]]:
    for rule in profile.syscalls:
        if _allows(rule):
            yield from ((name, frozenset(rule.args)) for name in rule.names)


def _allows(rule: SyscallRule) -> bool:
    return rule.action == "SCMP_ACT_ALLOW"
