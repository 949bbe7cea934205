"""python3 drive.py injected|honest HOME NAME…: make these PDFs and read them as a reviewer's are read.

``HOME/NAME.json`` is seen.py's answer, ``HOME/made.json`` what was made. The name
"any:COUNT:SEED" stands for so many injections of each kind, chosen by the seed, "kind:KIND" for all of
one kind. Runs in the LaTeX container.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

SEEN = "/opt/aisci/latex/seen.py"


def main(maker: str, home: Path, names: list[str]) -> None:
    here = Path(__file__).parent
    home.mkdir()
    if ":" in " ".join(names):
        names = chosen(here, *names[0].split(":"))
    subprocess.run([sys.executable, str(here / f"{maker}.py"), "made", *names], check=True)
    made = json.loads(Path(f"made/{maker}.json").read_text())
    for name in names or made:
        subprocess.run(
            [sys.executable, SEEN, f"made/{name}.pdf", f"read/{name}", "1", "20"], check=True
        )
        Path(f"read/{name}/seen.json").rename(home / f"{name}.json")
    (home / "made.json").write_text(json.dumps({name: made[name] for name in names or made}))


def chosen(here: Path, how: str, which: str, seed: str = "") -> list[str]:
    sys.path.insert(0, str(here))
    from injected import CASES  # noqa: PLC0415  # only where its library is

    by_kind: dict[str, list[str]] = {}
    for name, (kind, _) in CASES.items():
        by_kind.setdefault(kind, []).append(name)
    if how == "kind":
        return by_kind[which]
    some = [
        random.Random(f"{seed} {kind}").sample(own, int(which)) for kind, own in by_kind.items()
    ]
    return [name for names in some for name in names]


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
