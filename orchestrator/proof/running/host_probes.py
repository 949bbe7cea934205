"""Probes whose other half is this process: two jobs at once, a killed orchestrator, another image.

Each is a function by the probe's id; its program in ``sandbox/probes`` has the promise and does
the part that runs in a container. The function returns both results, bare and guarded.
"""

from __future__ import annotations

from orchestrator.proof.running import host_engine, host_jobs
from orchestrator.proof.running.result import HostProbe

HOST_PROBES: dict[str, HostProbe] = {
    "host/neighbours": host_jobs.neighbours,
    "host/fresh": host_jobs.fresh,
    "host/set_user_id": host_engine.set_user_id,
    "host/all_gpus": host_engine.all_gpus,
    "host/health_check": host_engine.health_check,
    "allow_list/tunnel": host_engine.allowed_tunnel,
    "allow_list/relayed": host_engine.allowed_tunnel,
    "allow_list/leads_inside": host_engine.leads_inside,
    "host/inspected_key": host_engine.inspected_key,
    "host/altered": host_engine.altered,
    "host/killed_orchestrator": host_engine.killed_orchestrator,
    "host/idea_time": host_jobs.idea_time,
    "host/together": host_jobs.together,
    "host/reserve": host_jobs.reserve,
}
