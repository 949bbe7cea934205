"""A job that takes more of a GPU's memory than it was granted is ended.

tries: an eighth more than the granted memory, for half a minute
parts: gpus.granted
family: 15
kinds: experiment
bare: all gpus
ends: out of gpu memory
needs: gpu
"""

import importlib
import time

from probing import GIVEN, attempt, done

HELD_FOR = 30  # seconds: it is seen by sampling


def fill() -> str:
    torch = importlib.import_module("torch")
    count = GIVEN["gpu_memory"] * 9 // 8
    try:
        held = torch.zeros(count, dtype=torch.uint8, device="cuda")
    except RuntimeError as error:
        raise OSError(12, str(error)[:200]) from error
    time.sleep(HELD_FOR)
    return f"{held.numel()} bytes, for {HELD_FOR} s"


attempt("an eighth more memory", fill)
done()
