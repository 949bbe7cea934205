"""No privilege is to be had in any container: each attempt is stopped here, and works in a bare one."""

from __future__ import annotations

import platform
from collections.abc import Iterator

import pytest

from orchestrator.sandbox.images.images import resolve_image
from tests.support.controls_rig import bare, held, limits_of
from tests.support.sandbox_rig import DockerBench, docker_bench

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerBench]:
    folder = tmp_path_factory.mktemp("rights")
    with docker_bench(folder, f"rights-{folder}") as bench:
        yield bench


CORE = """
    NEW = (ctypes.c_ulong * 2)(0, 0)
    def prlimit(which): return lambda: call(libc.syscall(302, 0, ctypes.c_ulong(which), NEW, None))
    def setrlimit(which): return lambda: call(libc.syscall(160, ctypes.c_ulong(which), NEW))
    attempt("limits", lambda: list(resource.getrlimit(resource.RLIMIT_CORE)))
    attempt("prlimit", prlimit(4))
    attempt("prlimit, more than the kernel reads", prlimit(4 | 1 << 32))
    attempt("setrlimit", setrlimit(4))
    attempt("setrlimit, more than the kernel reads", setrlimit(4 | 1 << 32))
    for which in range(16):
        soft, hard = resource.getrlimit(which)
        attempt("again %d" % which, lambda: resource.setrlimit(which, (soft, hard)))
    attempt("limits afterwards", lambda: list(resource.getrlimit(resource.RLIMIT_CORE)))
    print(json.dumps(seen))
    """


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the calls' numbers are x86-64's")
def test_the_core_limit_stays_at_one_where_a_crash_starts_no_program_of_the_hosts(
    bench: DockerBench,
) -> None:
    """core(5): at 1 a crash handler behind a pipe is not run; at 0, which it stops at, it is."""
    seen = held(bench, CORE, limits_of("experiment"))
    refused = {name for name, words in seen.items() if words == "Operation not permitted"}
    calls = {name for name in seen if "rlimit" in name}
    assert refused == calls
    assert len(calls) == 4
    assert {name for name in seen if name.startswith("again") and seen[name] != "done"} == {
        "again 4"
    }
    assert seen["limits"] == seen["limits afterwards"] == [1, 1]
    without = bare(
        bench.engine,
        resolve_image(bench.engine, "aisci-storage"),
        CORE,
        network_mode="none",
        security_opt=["seccomp=unconfined"],
        ulimits=[{"Name": "core", "Soft": 1, "Hard": 1}],
    )
    assert {without[name] for name in calls} == {"done"}
    assert without["limits afterwards"] == [0, 0]


@pytest.mark.parametrize("name", ["aisci-sandbox:cpu", "aisci-latex", "aisci-editor"])
def test_a_shipped_image_holds_no_program_that_grants_rights(bench: DockerBench, name: str) -> None:
    found = bare(
        bench.engine,
        resolve_image(bench.engine, name),
        """
        grants = []
        for folder, _, names in os.walk("/"):
            if folder.startswith(("/proc", "/sys")): continue
            for path in (os.path.join(folder, name) for name in names):
                try: status = os.lstat(path)
                except OSError: continue
                if status.st_mode & 0o6000: grants.append(path)
                elif os.path.isfile(path) and not os.path.islink(path):
                    if "security.capability" in os.listxattr(path): grants.append(path)
        print(json.dumps({"grants": grants}))
        """,
        network_mode="none",
        user="root",
    )
    assert found == {"grants": []}
