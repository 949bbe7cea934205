"""Of this machine's files none is there, nor the socket of its engine.

tries: the places where engines have their sockets; every mount point but those that each job has;
    a file that lies in a folder of the host's
parts: data.host-files
family: 9
kinds: experiment, latex, editor
"""

from pathlib import Path

from probing import GIVEN, attempt, done, stop

SOCKETS = (
    "/var/run/docker.sock", "/run/docker.sock", "/run/containerd/containerd.sock",
    "/run/podman/podman.sock", "/run/crio/crio.sock", "/run/buildkit/buildkitd.sock",
)  # fmt: skip
# The engine's own small files, the job's own places, and the two that data is staged in.
KNOWN = {"/", "/tmp", "/dev", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts",
         "/sbin/docker-init", "/usr/sbin/docker-init", "/run/podman-init", "/run/.containerenv", str(Path.cwd()),
         "/run/aisci/egress.sock"}  # fmt: skip
BELOW = ("/dev/", "/proc", "/sys", "/data/", "/workspace/data/")
DRIVER = ("nvidia", "cuda", "libnv")  # where a GPU is lent, its driver's files are lent too

places = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]


def sockets() -> str:
    found = [path for path in SOCKETS if Path(path).exists()]
    return ", ".join(found) or stop("none of these is there")


def mounted() -> str:
    others = [place for place in places if place not in KNOWN and not place.startswith(BELOW)]
    if GIVEN["gpus"]:
        others = [place for place in others if not any(word in place for word in DRIVER)]
    return ", ".join(others) or stop("every mount point is a job's own")


def file() -> str:
    ways = ("", "tmp/aisci-proof-*/", "var/tmp/aisci-proof-*/")
    found = [path for place in places if Path(place).is_dir() for way in ways
             for path in Path(place).glob(way + GIVEN["host_file"])]  # fmt: skip
    return str(found[0]) if found else stop("it is nowhere")


attempt("the engine's socket", sockets)
attempt("another mount point", mounted)
attempt("the host's file", file)
done()
