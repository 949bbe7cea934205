"""Policies that somebody has signed: with ``/etc/aisci/policy-keys.yaml``, no other policy of one's own is run under.

::

    keys:
      - {name: security team, key: "ssh-ed25519 AAAA...", until: 2027-12-31}

A key counts until its last day, and as long as ``/etc/aisci/deny.yaml`` does not withdraw its fingerprint. The
signature lies beside the policy, ``FILE.signed.json``: a DSSE envelope over a Statement about the effective policy,
its inherited settings and each exception with its reason, approver and end. It is kept in a run's record, by which
the run goes on. Less of a budget needs no other signature. Shipped policies need none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field

from orchestrator.api.denied import deny_list
from orchestrator.core import machine_folder
from orchestrator.core.errors import BadFile, BadPolicy, UserError
from orchestrator.core.files import shipped_root, write
from orchestrator.core.strict_yaml import read, validated
from orchestrator.core.tree import canonical
from orchestrator.core.untrusted import read_plain
from orchestrator.policy.check import check, refuse
from orchestrator.policy.compare import weaker
from orchestrator.policy.exceptions import DAY
from orchestrator.policy.policy import Policy, load_policy, without_budgets
from orchestrator.policy.shipped import shipped_policy
from orchestrator.record.attestation import STATEMENT
from orchestrator.record.envelope import open_envelope, signed_envelope
from orchestrator.record.pins import SignaturePin
from orchestrator.record.signing import Signer, Verifier, verifier_of

KEYS_FILE = "policy-keys.yaml"
SIGNED_SUFFIX = ".signed.json"
_SHIPPED = shipped_root() / "policies"
POLICY_PREDICATE = "https://aisci.invalid/policy/v1"
_MOST = 256 * 1024  # bytes of a signature's file


class PolicyKey(BaseModel, extra="forbid", frozen=True):
    """Who may sign policies, by a public key in one line of OpenSSH or in PEM; until a last day, if one is given."""

    name: Annotated[str, Field(min_length=2, max_length=200)]
    key: Annotated[str, Field(min_length=20, max_length=2000)]
    until: Annotated[str, Field(pattern=DAY)] | None = None


class _KeysFile(BaseModel, extra="forbid", frozen=True):
    keys: tuple[PolicyKey, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedPolicy:
    """What was signed: the policy, its hash, the exceptions that the signature approves, and by which key."""

    name: str
    hash: str
    exceptions: tuple[str, ...]
    signer: str
    file: Path


def sign_policy(name: str, signer: Signer) -> SignedPolicy:
    """Sign the policy in a file, and write the signature beside it.

    Raises :class:`BadPolicy` for one with an error, :class:`UserError` for a shipped one.
    """
    policy = load_policy(name, _SHIPPED)
    refuse(policy.name, check(policy))
    if policy.origin == "shipped":
        todo = "sign a policy of your own: aisci policy sign ./FILE.yaml"
        raise UserError("a shipped policy needs no signature", where=name, todo=todo)
    payload = canonical(_statement(policy))
    file = signature_of(policy)
    write(file, signed_envelope(payload, signer.public.fingerprint, signer.sign))
    return SignedPolicy(
        name=policy.name,
        hash=policy.hash,
        exceptions=tuple(sorted(policy.exceptions)),
        signer=signer.public.fingerprint,
        file=file,
    )


def signature_of(policy: Policy) -> Path:
    """Where the signature of a policy of one's own lies."""
    return Path(f"{policy.origin}{SIGNED_SUFFIX}")


def require_signed_policy(policy: Policy) -> SignaturePin | None:
    """The signature of a policy, where this machine takes signed ones alone. Raise :class:`BadPolicy` where this one is neither shipped nor
    signed by a key of the list; :class:`BadFile` where the list cannot be relied on.
    """
    keys = _listed_keys()
    if keys is None or policy.origin == "shipped":
        return None
    try:
        made, why = _signature(read_plain(signature_of(policy), _MOST), policy, keys)
    except FileNotFoundError:
        made, why = None, "there is no signature"
    except (OSError, ValueError) as error:
        made, why = None, f"it is no signature of a policy: {error}"
    if made is None:
        raise BadPolicy(
            f"this machine takes signed policies alone, and {policy.name!r} is not one",
            where=str(signature_of(policy)),
            why=why,
            todo=f"have it signed by {', '.join(one.name for one in keys)}: aisci policy sign {policy.origin} "
            "--key KEY; or take a shipped policy",
        )
    return made


def require_signed_still(policy: Policy, pinned: SignaturePin | None) -> SignaturePin | None:
    """What :func:`require_signed_policy` asks, of the policy of a run that goes on: by the signature in its record. A
    key that ended meanwhile signed it before; a withdrawn one counts for nothing.
    """
    keys = _listed_keys()
    if keys is None:
        return pinned if pinned is not None and pinned.hash == policy.hash else None
    if _is_shipped(policy):
        return None
    made, why = None, "its record has no signature"
    if pinned is not None and pinned.envelope:
        made, why = _signature(pinned.envelope.encode(), policy, keys, begun=True)
    if made is None:
        raise BadPolicy(
            f"this machine takes signed policies alone, and the run's, {policy.name!r}, is not one",
            where="the run's record",
            why=why,
            todo="go on under a policy that is signed, or shipped: aisci resume RUN --fork --policy FILE",
        )
    return made


def _is_shipped(policy: Policy) -> bool:
    """Whether it is one of the program's own, or one of these with less of a budget."""
    own = shipped_policy(policy.name)
    return own is not None and _covers(own.settings, policy)


def _covers(settings: Mapping[str, Any], policy: Policy) -> bool:
    """Whether ``policy`` has these settings, or less of their budget alone."""
    same = without_budgets(settings) == without_budgets(policy.settings)
    return same and not weaker(settings, policy.settings)


def _listed_keys() -> dict[PolicyKey, Verifier] | None:
    """The keys of this machine's list; None where it has no list. Raises :class:`BadFile`."""
    path = machine_folder.MACHINE.file(KEYS_FILE)
    if path is None:
        return None
    document = read(path)
    keys = {}
    for one in validated(document, _KeysFile).keys:
        try:
            keys[one] = verifier_of(one.key.encode())
        except ValueError as error:
            raise BadFile(
                "a key of those who sign this machine's policies cannot be used, so nothing runs",
                where=f"{path}: {one.name}",
                why=str(error),
                todo="its administrator: put the line of a public key there, such as of id_ed25519.pub",
            ) from error
    return keys


def _signature(
    data: bytes, policy: Policy, keys: dict[PolicyKey, Verifier], *, begun: bool = False
) -> tuple[SignaturePin | None, str]:
    """The signature of the policy that counts, or why none does. For a run that had ``begun`` a key counts that
    made it by its last day.
    """
    try:
        envelope, statement = open_envelope(data, POLICY_PREDICATE, "a policy")
        same = statement["subject"][0]["digest"]["sha256"] == policy.hash
        settings, day = (
            statement["predicate"].get("settings"),
            str(statement["predicate"]["signed"]),
        )
        same = same or (settings is not None and _covers(settings, policy))
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return None, f"it is no signature of a policy: {error}"
    if not same:
        return None, "the policy was changed since, or a file that it extends was"
    revoked, today = deny_list().keys, f"{datetime.now(UTC):%Y-%m-%d}"
    counts = day if begun else today
    why = "no key of the list made it"
    for one, verifier in keys.items():
        if not any(verifier.signed(envelope.to_sign, made) for _, made in envelope.signatures):
            continue
        if verifier.fingerprint in revoked:
            why = f"the key of {one.name}, {verifier.fingerprint}, is withdrawn"
        elif one.until is not None and one.until < counts:
            why = f"the key of {one.name} was for policies until {one.until}"
        else:
            key = verifier.fingerprint
            pin = SignaturePin(
                of="policy", hash=policy.hash, signer=one.name, key=key, envelope=data.decode()
            )
            return pin, ""
    return None, why


def _statement(policy: Policy) -> dict[str, Any]:
    return {
        "_type": STATEMENT,
        "subject": [{"name": policy.name, "digest": {"sha256": policy.hash}}],
        "predicateType": POLICY_PREDICATE,
        "predicate": {
            "signed": f"{datetime.now(UTC):%Y-%m-%d}",
            "exceptions": dict(policy.settings.get("exceeds", {})),
            "settings": policy.settings,
        },
    }
