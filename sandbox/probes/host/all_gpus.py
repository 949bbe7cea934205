"""A job that was granted no GPU gets none, whatever its image says.

tries: an image that says NVIDIA_VISIBLE_DEVICES=all; devices of NVIDIA's in /dev
parts: gpus.none
family: 14
kinds: experiment, latex, editor
judge: host
needs: no gpu
"""

import os
from pathlib import Path

from probing import attempt, done


def asked() -> object:
    visible = os.environ.get("NVIDIA_VISIBLE_DEVICES", "")
    devices = [path.name for path in Path("/dev").glob("nvidia*")]
    if visible in {"", "void", "none"} and not devices:
        raise OSError(1, f"NVIDIA_VISIBLE_DEVICES is {visible!r}, and no device is there")
    return f"NVIDIA_VISIBLE_DEVICES is {visible!r}; devices: {', '.join(devices) or 'none'}"


attempt("the GPUs that the image asks for", asked)
done()
