"""The parts of each control: one mechanism each, with probes that test it and a mutation without it.

``control`` is the id of one of ``orchestrator.policy.controls``. A part is named ``control.mechanism``.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Part:
    """One mechanism: its name, and what it enforces, as text."""

    id: str
    says: str

    @property
    def control(self) -> str:
        return self.id.partition(".")[0]


PARTS = (
    Part("container.read-only", "the root file system cannot be written to"),
    Part("container.user", "the job is no root, inside or outside"),
    Part("container.capabilities", "no capability is left, whoever the user is"),
    Part("container.no-new-privileges", "a set-user-id program gives nothing"),
    Part("container.processes", "the job sees its own processes and no other"),
    Part("container.ipc", "shared memory and queues are the job's own"),
    Part("container.fresh", "nothing of an earlier job is there"),
    Part("container.health-check", "an image's health check does not run"),
    Part("runtime.kernel", "the kernel that answers is not the host's"),
    Part("seccomp.profile", "what the profile refuses is refused"),
    Part("environment.closed", "no variable, file or process tells a key of the host's"),
    Part("network.none", "no interface but loopback; nothing outside is reached"),
    Part("network.allow-list", "the proxy lets through what the list names, and nothing else"),
    Part("data.read-only", "staged data can be read and not changed"),
    Part("data.host-files", "of the host's files none is there, nor the engine's socket"),
    Part("harvest.links", "links, FIFOs, sockets and the like are not followed or brought home"),
    Part("harvest.names", "a foul name is not brought home"),
    Part("harvest.declared", "only declared places are read"),
    Part("harvest.files", "no more files than allowed"),
    Part("harvest.bytes", "no more bytes than allowed, sparse ones included"),
    Part("harvest.file", "no file larger than allowed"),
    Part("harvest.depth", "no folder deeper than allowed"),
    Part("harvest.numbers", "results that are a trap are refused"),
    Part("harvest.kept", "what came home cannot be changed unnoticed"),
    Part("harvest.opaque", "no file is opened, unpickled or run"),
    Part("memory.limit", "memory ends where the policy says, through files too"),
    Part("memory.swap", "there is no swap beyond it"),
    Part("memory.shm", "shared memory ends where the policy says"),
    Part("cpus.quota", "no more CPU time in each second"),
    Part("processes.pids", "processes and threads end where the policy says"),
    Part("processes.open-files", "open files end where the policy says"),
    Part("processes.core", "a crash leaves no core file and starts nothing on the host"),
    Part("disk.bytes", "the workspace ends where the policy says, however it is filled"),
    Part("disk.inodes", "so do its files"),
    Part("disk.file", "no single file grows beyond its limit"),
    Part("disk.tmp", "the folder for temporary files ends where the policy says"),
    Part("disk.options", "nothing in the workspace runs as a program, no device, no set-user-id"),
    Part("time.wall", "a job ends at its wall time"),
    Part("time.cpu", "and at its total CPU time"),
    Part("time.kill", "who ignores TERM is killed, with all of its children"),
    Part("time.sentinel", "what a killed orchestrator leaves is removed"),
    Part("logs.flood", "a flood of output ends the job"),
    Part("logs.words", "output acts on no terminal and no page, and ends no fence in a prompt"),
    Part("gpus.none", "a job that was granted no GPU has none"),
    Part("gpus.granted", "a job has the granted GPUs and no other, within their memory"),
    Part("latex.shell", "a paper starts no program"),
    Part("latex.reading", "a paper reads below its folder only"),
    Part("latex.writing", "a paper writes below its folder only"),
    Part("latex.time", "a paper without end is ended"),
    Part("latex.pages", "a paper has an end of pages"),
    Part("latex.active", "a PDF that a viewer would act on is no paper"),
    Part("editor.paths", "an edit changes the named files and no other"),
    Part("editor.links", "an edit goes through no link"),
    Part("editor.commands", "an edit starts no program"),
    Part("editor.urls", "an edit fetches nothing"),
    Part("idea.wall", "a job ends with its idea's time"),
    Part("run.together", "no more jobs, memory or disk at once than the run may have"),
    Part("reserve.kept", "no job starts that would take what the host keeps"),
)

PART_IDS = frozenset(part.id for part in PARTS)
