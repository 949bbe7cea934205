"""Whether what is installed agrees: each distribution's needs are met, each import has a module.

It reads metadata and looks for modules; no code of a package runs. What is wrong is printed, a
line each, and the exit code is then 1.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from importlib import metadata

from packaging.requirements import InvalidRequirement, Requirement


def unmet() -> Iterator[str]:
    """Each need of an installed distribution that no installed one meets."""
    versions = {_plain(one.metadata["Name"]): one.version for one in metadata.distributions()}
    for one in metadata.distributions():
        for text in one.requires or ():
            try:
                need = Requirement(text)
            except InvalidRequirement:
                yield f"{one.metadata['Name']} says what it needs in no known form: {text!r}"
                continue
            if need.marker is not None and not need.marker.evaluate({"extra": ""}):
                continue
            have = versions.get(_plain(need.name))
            if have is None:
                yield f"{one.metadata['Name']} needs {need.name}, which is neither in the image nor in the list"
            elif not need.specifier.contains(have, prereleases=True):
                yield f"{one.metadata['Name']} needs {text}; the image has {need.name} {have}"


def absent(imports: list[str]) -> Iterator[str]:
    for name in imports:
        if importlib.util.find_spec(name) is None:
            yield f"no installed package has the module {name!r}, which template.yaml declares"


def _plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def main() -> int:
    """The exit code; arguments are the names that the template's code imports."""
    found = [*unmet(), *absent(sys.argv[1:])]
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
