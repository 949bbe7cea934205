"""A run's specification as pins, and back: resume uses exactly the pinned one."""

from __future__ import annotations

from orchestrator import __version__
from orchestrator.core.errors import BadJournal, BadPolicy, Diverged
from orchestrator.core.model import DEFAULT_ROLE
from orchestrator.core.strict_yaml import dump, parse
from orchestrator.core.tree import Tree
from orchestrator.policy.policy import Policy
from orchestrator.policy.schema import WholePolicy
from orchestrator.policy.seccomp import shipped_profile
from orchestrator.record.blobs import BlobStore
from orchestrator.record.chain import read_lines
from orchestrator.record.events import Forked, RunStarted
from orchestrator.record.paths import RunPaths
from orchestrator.record.pins import ModelPin, Pins, PolicyPin, TemplatePin
from orchestrator.research.prompts import prompts_hash
from orchestrator.research.run_spec import RunSpec
from orchestrator.template.template import Template, from_files


def pins_of(spec: RunSpec, files: Tree) -> Pins:
    """The pins of ``spec``; ``files`` are those of the template."""
    template, policy = spec.template, spec.policy
    return Pins(
        program=__version__,
        template=TemplatePin(
            name=template.name, origin=template.origin, hash=template.hash, files=files
        ),
        policy=PolicyPin(
            name=policy.name, origin=policy.origin, hash=policy.hash, settings=policy.settings
        ),
        seccomp=shipped_profile().normal(),  # the profile called "default"
        prompts=prompts_hash(),
        images=spec.images,
        models=(
            ModelPin(
                name=spec.model,
                author=spec.author,
                prices=spec.prices,
                sees=spec.sees,
                server=spec.server,
            ),
            *spec.roles,
        ),
        scale=spec.scale,
        ideas=spec.ideas,
        data=spec.data,
        proof=spec.proof,
        baseline=spec.baseline,
        engines=spec.engines,
        reviewing=spec.reviewing,
        given=spec.given,
        novelty=spec.novelty,
        open_ended=spec.open_ended,
        imported=spec.imported,
        leave_out=spec.leave_out,
        ceilings=spec.ceilings,
        effort=spec.effort,
        signatures=spec.signatures,
    )


def read_pins(paths: RunPaths) -> Pins:
    """The pins in force: of the first line, or of the last fork. Raises :class:`BadJournal`."""
    pins = [
        line.pins for line, _ in read_lines(paths.journal) if isinstance(line, RunStarted | Forked)
    ]
    if not pins:
        raise BadJournal(
            "the journal does not say what the run was started with",
            where=str(paths.journal),
            why="the run was stopped before its first line was written: nothing was asked or spent",
            todo="start it again with `aisci run`",
        )
    return pins[-1]


def template_of(pins: Pins, paths: RunPaths) -> Template:
    """The template as it was when the run started."""
    blobs = BlobStore(paths.blobs)
    files = {name: blobs.get(sha256) for name, sha256 in pins.template.files.files}
    return from_files(files, pins.template.name, pins.template.origin)


def policy_of(pins: Pins) -> Policy:
    """The effective policy as it was when the run started."""
    pin = pins.policy
    document = parse(dump(pin.settings).encode(), "the run's journal", BadPolicy)
    return Policy(WholePolicy.model_validate(pin.settings), pin.origin, (pin.name,), document)


def spec_of(pins: Pins, template: Template) -> RunSpec:
    """The specification that the run was started with; ``template`` is the pinned one."""
    model = pins.model()
    return RunSpec(
        template=template,
        policy=policy_of(pins),
        model=model.name,
        author=model.author,
        scale=pins.scale,
        ideas=pins.ideas,
        images=pins.images,
        prices=model.prices,
        sees=model.sees,
        server=model.server,
        data=pins.data,
        proof=pins.proof,
        baseline=pins.baseline,
        engines=pins.engines,
        reviewing=pins.reviewing,
        given=pins.given,
        novelty=pins.novelty,
        open_ended=pins.open_ended,
        imported=pins.imported,
        leave_out=pins.leave_out,
        ceilings=pins.ceilings,
        effort=pins.effort,
        signatures=pins.signatures,
        roles=tuple(pin for pin in pins.models if pin.role != DEFAULT_ROLE),
    )


def same_program(pins: Pins) -> None:
    """Raise :class:`Diverged` if another version, or other prompts, would continue a run."""
    for what, then, now in (
        ("program version", pins.program, __version__),
        ("set of prompts", pins.prompts[:12], prompts_hash()[:12]),
    ):
        if then != now:
            raise Diverged(
                f"the run was started by another {what}",
                where=f"recorded {then}, now {now}",
                why="continuing would mix two programs' requests in one record",
                todo="`aisci resume --fork` continues with this one and asks again what differs",
            )
