"""Rules for a template's files: required, reserved and unreadable ones, and the two JSON files."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from orchestrator.core.errors import BadTemplate
from orchestrator.core.files import RESERVED
from orchestrator.template.contract.finding import RuleFinding
from orchestrator.template.folder import MANIFEST
from orchestrator.template.template import NOTES, PAPER, Template

REQUIRED = ("experiment.py", "plot.py", "prompt.json", "seed_ideas.json", PAPER)
OPAQUE = "files of this kind can run code when they are read"
UNPICKLING = (".pkl", ".pickle", ".pt", ".npy", ".npz")


def there(template: Template) -> Iterator[RuleFinding]:
    """The files that every template has, and those that its manifest names."""
    for path in REQUIRED:
        if path not in template.files:
            todo = f"add {path}; docs/templates.md describes it"
            yield RuleFinding(path, "the file is missing", todo)
    for kind in ("editable", "fixed"):
        for path in getattr(template.manifest, kind):
            if path not in template.files and path != NOTES and path not in REQUIRED:
                what = f"{path} is not in the folder"
                yield RuleFinding(f"{MANIFEST}: {kind}", what, "add it, or remove its name")


def reserved(template: Template) -> Iterator[RuleFinding]:
    """Names reserved for the records in an idea's folder; found here, before a paid run."""
    for name in sorted({path.split("/", 1)[0] for path in template.files} & RESERVED):
        yield RuleFinding(name, "the name is reserved for an idea's own records", "rename it")


def json_files(template: Template) -> Iterator[RuleFinding]:
    readers: dict[str, Callable[[], object]] = {
        "prompt.json": template.task,
        "seed_ideas.json": template.seed_ideas,
    }
    for path, reader in readers.items():
        if path in template.files:
            try:
                reader()
            except BadTemplate as error:
                place = error.where.removeprefix(f"{template.origin}/")
                yield RuleFinding(
                    place, f"{error.what}: {error.why}", error.todo or "correct the JSON"
                )


def readable_data(template: Template) -> Iterator[RuleFinding]:
    """A template with a manifest stores its data in human-readable kinds of file."""
    for path in template.files:
        if not template.inferred and path.endswith(UNPICKLING):
            yield RuleFinding(path, OPAQUE, "store it as JSON or CSV")
