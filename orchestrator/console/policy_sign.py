"""``aisci policy sign``: a policy of one's own, and the exceptions in it, approved by a key."""

from __future__ import annotations

from orchestrator.api.signed_policies import KEYS_FILE, sign_policy
from orchestrator.console import output as out
from orchestrator.console.output import counted
from orchestrator.core import machine_folder
from orchestrator.record.signing import Signer


def sign(name: str, signer: Signer, *, as_json: bool) -> None:
    """Sign it, and say what the signature approves and where it counts."""
    done = sign_policy(name, signer)
    if as_json:
        facts = {"name": done.name, "hash": done.hash, "exceptions": done.exceptions}
        out.as_json({"signed": {**facts, "signer": done.signer, "file": str(done.file)}})
        return
    approved = f": {', '.join(done.exceptions)}" if done.exceptions else ""
    out.say(f"policy:     {done.name}, SHA-256 {done.hash}")
    out.say(f"exceptions: {counted(len(done.exceptions), 'exception')}{approved}")
    out.say(f"signed by:  {done.signer}")
    out.say(f"signature:  {done.file}")
    keys = machine_folder.MACHINE.folder / KEYS_FILE
    out.say(f"It counts on machines that name this key in {keys}, until the policy is changed.")
