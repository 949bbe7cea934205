"""What a container may lack of what the code asks for: said to people, and no breach.

Only the text of the code is read, so each note is a guess; a run shows whether it is right.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath

from orchestrator.template.contract.finding import RuleFinding, RuleResult
from orchestrator.template.imports import absent_imports
from orchestrator.template.sightings import Sighting, sightings
from orchestrator.template.template import Template

_PROMISE = "a container without GPU and network has what the code asks for"
_GPU = (
    "use a policy with a GPU and `gpu: required` in template.yaml, or choose the device: "
    '"cuda" if torch.cuda.is_available() else "cpu"'
)
_NO_NAMES = {"", "data", "dataset", "datasets"}
_FETCH = (
    "experiments have no network: name the data under `data:` of template.yaml, or give it with "
    "--data DIR, and read it from /data/NAME"
)


def needs(template: Template, given: frozenset[str] = frozenset()) -> RuleResult:
    """The notes about ``template``; ``given`` are the data sets that the caller mounts."""
    return RuleResult("needs", _PROMISE, notes=tuple(container_lacks(template, given)))


def container_lacks(template: Template, given: frozenset[str]) -> Iterator[RuleFinding]:
    """One note for CUDA, for each path, for what is fetched and for each optional import."""
    seen = sightings(template)
    cuda = [one for one in seen if one.kind == "cuda"]
    if cuda and template.manifest.gpu != "required":
        yield RuleFinding(_places(cuda), f"CUDA is wired in: {_quoted(cuda)}", _GPU)
    there = given | {data.name for data in template.manifest.data}
    for one in seen:
        if one.kind == "path" and not (there if one.data_set == "" else one.data_set in there):
            yield RuleFinding(one.where, f"{one.text!r} is not in the folder", _data_todo(one))
    fetched = [one for one in seen if one.kind == "fetch"]
    if fetched:
        yield RuleFinding(_places(fetched), f"it fetches: {_quoted(fetched)}", _FETCH)
    for absent in absent_imports(template):
        if not absent.required and absent.module not in template.manifest.packages:
            what = f"the image lacks {absent.module}, which a run may not need"
            yield RuleFinding(absent.where, what, "if it does, add it to `packages` and `lock`")


def _data_todo(one: Sighting) -> str:
    """How to give the file or folder that a path names."""
    path = PurePosixPath(one.text)
    if one.data_set is None:
        name, kept = (path.parent.name, f"/{path.name}") if path.suffix else (path.name, "")
        at = f"{name if name.strip('.~') not in _NO_NAMES else 'NAME'}{kept}"
        return f"--data DIR, where DIR/{at} is it; read /data/{at} instead"
    if one.data_set == path.name and path.suffix:
        return (
            f"only folders are mounted: --data DIR, where DIR/NAME/{path.name} is it; read it there"
        )
    return f"--data DIR, where the folder DIR/{one.data_set or 'NAME'} has it"


def _places(seen: list[Sighting]) -> str:
    return ", ".join(one.where for one in seen[:4]) + (", …" if len(seen) > 4 else "")


def _quoted(seen: list[Sighting]) -> str:
    return "; ".join(dict.fromkeys(one.text for one in seen[:4]))
