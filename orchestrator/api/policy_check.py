"""Policies held to what is asked of them: their own rules, this machine, its ceilings, and another policy."""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.api.policies import SHIPPED, this_machine
from orchestrator.core.errors import BadPolicy, UserError
from orchestrator.policy.ceiling import above_ceilings, machine_ceilings
from orchestrator.policy.check import (
    Level,
    PolicyFinding,
    ceiling_of,
    check_expiry,
    check_file,
    check_machine,
    check_no_weaker,
    comparable,
    of_error,
    only_blocks,
)
from orchestrator.policy.policy import Policy, load_blocks, load_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyCheckRequest:
    """``names`` are files, or names of shipped policies; none may allow more than ``no_weaker_than``, with
    a reason only if ``exceptions`` count. ``here``: a limit above this machine is an error; so is an exception
    that ends within ``expires_within`` seconds.
    """

    names: tuple[str, ...]
    no_weaker_than: str | None = None
    exceptions: bool = True
    here: bool = False
    expires_within: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPolicy:
    """A policy's findings; ``compared`` settings were compared with the policy named ``ceiling``, if any."""

    name: str
    findings: tuple[PolicyFinding, ...]
    ceiling: str = ""
    compared: int = 0

    @property
    def ok(self) -> bool:
        return not self.count("error")

    def count(self, level: Level) -> int:
        return sum(finding.level == level for finding in self.findings)


def checked_policies(request: PolicyCheckRequest) -> tuple[CheckedPolicy, ...]:
    """Every policy with every finding.

    Raises:
        UserError: the request contradicts itself, or names no policy.
        BadPolicy: the policy to compare with is broken, or a ceiling of this machine cannot be relied on.
    """
    if not request.exceptions and request.no_weaker_than is None:
        raise UserError(
            "--no-exceptions has no effect without a policy to compare with",
            where="--no-exceptions",
            todo="add --no-weaker-than base",
        )
    named = request.no_weaker_than
    ceiling = None if named is None else ceiling_of(named, SHIPPED)
    machine = machine_ceilings(SHIPPED)
    names = (f"./{one}" if _a_file(one) else one for one in request.names)
    return tuple(_checked(name, ceiling, machine, request) for name in names)


def _a_file(name: str) -> bool:
    """Whether a bare name is a file's here: `check` takes files, as other programs that check files."""
    return "/" not in name and name.endswith((".yaml", ".yml"))


def _checked(
    name: str, ceiling: Policy | None, machine: tuple[Policy, ...], request: PolicyCheckRequest
) -> CheckedPolicy:
    """A file that does not load has errors only."""
    against, compared = ceiling.name if ceiling else "", 0
    try:
        found = check_file(name, SHIPPED)
        if ceiling is not None:
            compared, more = check_no_weaker(name, ceiling, SHIPPED, exceptions=request.exceptions)
            found += more
        if request.expires_within is not None:
            found += check_expiry(name, SHIPPED, request.expires_within)
        document, effective = load_blocks(name, SHIPPED)
        if machine:
            found += above_ceilings(document, comparable(name, SHIPPED), machine)
        if not only_blocks(effective.settings):
            level: Level = "error" if request.here else "note"
            found += check_machine(load_policy(name, SHIPPED), this_machine(), level)
    except BadPolicy as error:
        found, compared = of_error(error), 0
    return CheckedPolicy(name=name, findings=found, ceiling=against, compared=compared)
