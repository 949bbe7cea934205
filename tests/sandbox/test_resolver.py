"""No container is told the name servers, search domains or resolver options of its host."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from orchestrator.core.errors import SandboxFailed
from orchestrator.core.job import UNREAD
from orchestrator.sandbox.engine.resolver import RESOLVER, foreign_lines, resolver_of
from orchestrator.sandbox.job.verify import check_kernel_view
from tests.contracts.sandbox import LIMITS, Scenario, job_of
from tests.sandbox.test_kernel_limits import HELD
from tests.support.private_engine import IMAGE, private_engine
from tests.support.sandbox_rig import DockerBench

HOSTS = """\
# of the firm
nameserver 10.9.8.7
search corp.internal.example lab.example
options edns0 trust-ad ndots:5
sortlist 130.155.160.0/255.255.240.0
"""
OURS = "nameserver 127.0.0.1; options ndots:1"


def test_a_file_is_read_without_its_comments_and_one_that_is_not_to_be_read_is_said_to_be(
    tmp_path: Path,
) -> None:
    path = tmp_path / "resolv.conf"
    path.write_text("; made by\n# an engine\n\nnameserver\t127.0.0.1\n  options  ndots:1\n")
    assert resolver_of(str(path)) == ((RESOLVER, OURS),)
    path.write_text("")
    assert resolver_of(str(path)) == ((RESOLVER, ""),)
    for missing in (str(tmp_path / "none"), ""):
        assert resolver_of(missing) == ((RESOLVER, UNREAD),)


@pytest.mark.parametrize("text", ["", OURS, UNREAD])
def test_an_empty_file_and_what_it_means_name_nothing(text: str) -> None:
    assert foreign_lines(((RESOLVER, text),)) == []
    assert foreign_lines(()) == []


@pytest.mark.parametrize("line", HOSTS.splitlines()[1:])
def test_a_container_that_is_told_a_line_of_its_hosts_is_not_used_and_the_line_not_repeated(
    line: str,
) -> None:
    seen = ((RESOLVER, f"{OURS}; {line}"),)
    word, _, names = line.partition(" ")
    assert foreign_lines(seen) == [f"{RESOLVER} has a line of the host's: {word}"]
    with pytest.raises(SandboxFailed, match=f"{RESOLVER} has a line") as refused:
        check_kernel_view(HELD + seen, replace(LIMITS, file=1 << 20))
    assert names not in str(refused.value)


@pytest.mark.engine
@pytest.mark.serial
@pytest.mark.skipif(os.geteuid() != 0, reason="only root may start an engine")
def test_of_a_hosts_own_file_nothing_reaches_a_job_or_a_trusted_container(tmp_path: Path) -> None:
    """The machine's own file may name no domain; an engine of the test's own finds one that does."""
    with private_engine(HOSTS) as own:
        plain = own.client.containers.run(
            IMAGE, ["/etc/resolv.conf"], entrypoint=["cat"], network_mode="none", remove=True
        )
        assert b"corp.internal.example" in plain, "or there is nothing to keep from a job"
        bench = DockerBench(own.client, tmp_path, "resolver", ("tmpfs",))
        scenario = Scenario("print(open('/etc/resolv.conf').read(), flush=True); input()")
        with bench.sandbox.pool, bench.sandbox.open(job_of(bench, scenario)) as session:
            running = own.client.api.containers()
            read = [own.client.api.inspect_container(one)["ResolvConfPath"] for one in running]
            assert {dict(resolver_of(path))[RESOLVER] for path in read} == {OURS}
            assert len(read) > 1, "the job and its keeper"
            session.send(b"end\n")
            session.wait()
            result = session.finish()
    assert dict(result.attestation.seen)[RESOLVER] == OURS
    assert "nameserver 127.0.0.1" in result.stdout
    assert "10.9.8.7" not in result.stdout
    assert "example" not in result.stdout
