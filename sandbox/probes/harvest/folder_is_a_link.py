"""An output folder that is itself a link brings nothing home.

tries: a declared folder that is a link to /etc
parts: harvest.links
family: 18
kinds: experiment
judge: home
"""

from pathlib import Path

from probing import done, plant

Path("out").symlink_to("/etc")
for name in ("passwd", "hostname", "hosts"):
    plant(f"out/{name}")
done()
