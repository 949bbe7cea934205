"""No variable is there that names a secret, or changes how programs are loaded.

tries: to find one by its name, in the environments of all of the container's processes
parts: environment.closed
family: 16
kinds: experiment, latex, editor
"""

import re
from pathlib import Path

from probing import attempt, done, stop

FOUL = re.compile(r"^(LD_|AWS_|DOCKER_|SSH_|GOOGLE_|AZURE_)|_KEY$|TOKEN|SECRET|PASSW|CREDENTIAL")


def found() -> str:
    names = set()
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        names |= {line.partition("=")[0] for line in text.split("\0") if line}
    foul = sorted(name for name in names if FOUL.search(name))
    return ", ".join(foul) or stop(f"{len(names)} names, and none of them")


attempt("a variable of such a name", found)
done()
