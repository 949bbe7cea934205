"""A link is not followed, and does not come home.

tries: symbolic links to a file, a folder, upwards, in circles, in the place of results
parts: harvest.links
family: 19
kinds: experiment
judge: home
"""

from pathlib import Path

from planting import begin
from probing import done, plant

begin()
LINKS = {
    "out/absolute": "/etc/passwd",
    "out/upwards": "../../../../etc/shadow",
    "out/folder": "/etc",
    "out/above": "..",
    "out/circle": "circle",
    "out/nowhere": "/no/such/file",
    "out/final_info.json": "/etc/hostname",
}
for name, target in LINKS.items():
    Path(name).symlink_to(target)
    plant(name)
done()
