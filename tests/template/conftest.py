"""The containers of each template's own tests: of some templates by the commit, of all in the campaign."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.template.template import Template
from tests.support.sample import some

HERE = Path(__file__).parent
COUNT = 3  # templates in `make test`


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the engine tests of templates that this commit does not try."""
    own = {item: found for item in items if (found := _template_of(item)) is not None}
    chosen = some(sorted(set(own.values())), COUNT, "templates")
    for item in own:
        item.add_marker("sampled")
    left_out = {item for item, name in own.items() if name not in chosen}
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=[*left_out])


def _template_of(item: pytest.Item) -> str | None:
    """The template that an engine test of this folder is about, where its file is about one."""
    about = getattr(getattr(item, "module", None), "TEMPLATE", None)
    if item.path.parent != HERE or item.get_closest_marker("engine") is None:
        return None
    return about.name if isinstance(about, Template) else None
