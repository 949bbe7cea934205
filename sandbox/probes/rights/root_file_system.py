"""Nothing can be written outside of the job's own places.

tries: to make a file in /, /etc, /usr, /opt and /var
parts: container.read-only
family: 9
kinds: experiment, latex, editor
"""

from pathlib import Path

from probing import attempt, done

for folder in ("/", "/etc", "/usr", "/opt", "/var"):
    attempt(f"a file in {folder}", Path(folder, "proof").touch)
done()
