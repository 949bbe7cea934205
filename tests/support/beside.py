"""Which tests run beside each other: a file's tests one after the other, files side by side.

A file's tests share what is set up once for them. Of the files in :data:`APART` they share
nothing and take long, so each of those is handed out alone. What takes longest begins first.
"""

from __future__ import annotations

import pytest
from xdist.scheduler import LoadScopeScheduling

APART = frozenset({
    "tests/proof/test_prove.py",
    "tests/proof/test_mutations.py",
    "tests/template/test_shipped_templates.py",
    "tests/audit/test_audit_containers.py",
})  # fmt: skip
FIRST = (
    "tests/proof/test_prove.py::test_probes_of_every_control",
    "tests/template/test_shipped_templates.py",
    "tests/api/test_template_check.py",
    "tests/api/test_runs.py",
    "tests/editor/test_editor.py",
    "tests/research/test_demo.py",
    "tests/sandbox/test_gvisor.py",
    "tests/audit/test_audit_command.py",
    "tests/machine/test_datasets.py",
    "tests/console/test_first_days.py",
    "tests/proof/test_prove.py",
    "tests/research/test_attempts.py",
    "tests/console/test_estimate.py",
    "tests/sandbox/test_sandbox_limits.py",
    "tests/api/test_shared_machine.py",
    "tests/research/test_compile.py",
    "tests/research/test_time.py",
    "tests/policy/test_every_field.py",
    "tests/policy/test_seccomp.py",
    "tests/console/test_bad_input.py",
    "tests/audit/test_audit.py",
    "tests/research/test_changes.py",
)


def early(item: pytest.Item) -> int:
    """Its place in :data:`FIRST`, or behind all of them."""
    places = (place for place, start in enumerate(FIRST) if item.nodeid.startswith(start))
    return next(places, len(FIRST))


class Files(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist ships no types
    """Hands out files, but for those whose tests go apart."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = nodeid.partition("::")[0]
        return nodeid if file in APART else file
