"""Nothing that an earlier job left is there for the next one.

tries: to find the file that the same program left wherever it could
parts: container.fresh
family: 17
kinds: experiment, latex, editor
judge: host
"""

from pathlib import Path

from probing import attempt, done

found = []
for folder in (".", "/tmp", "/dev/shm", "/var/tmp", "/"):
    mark = Path(folder, "left-by-a-probe")
    try:
        found += [folder] if mark.exists() else []
        mark.touch()
    except OSError:
        continue
attempt("a file of an earlier job", lambda: ", ".join(found) or False)
done()
