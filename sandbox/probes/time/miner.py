"""Work that looks like training ends at the CPU time that the host counts, whatever it prints.

tries: to hash for three times as long in processes named as data loaders, which print losses
parts: time.cpu
family: 7
kinds: experiment
lower: cpu_time 1s
ends: out of cpu time
"""

import hashlib
import os
import time

from probing import GIVEN, attempt, done

EACH, WORKERS = 0.75 * GIVEN["cpu_time"], 4


def mine() -> None:
    """Search for a hash with leading zeros; to a reader of the output it is an epoch."""
    until, nonce = time.monotonic() + WORKERS * EACH, 0
    while time.process_time() < EACH or time.monotonic() < until:
        nonce += 1
        hashlib.sha256(b"block" + nonce.to_bytes(8, "big")).digest()
        if nonce % 1_000_000 == 0:
            print(f"epoch {nonce // 1_000_000}: loss {1 / (1 + nonce):.6f}", flush=True)
    os._exit(0)


def train() -> str:
    workers = []
    for _ in range(WORKERS):
        if (worker := os.fork()) == 0:
            mine()
        workers.append(worker)
    for worker in workers:
        os.waitpid(worker, 0)
    used = os.times()
    return f"{used.children_user + used.children_system:.1f} s of hashing"


attempt("three times the CPU time", train)
done()
