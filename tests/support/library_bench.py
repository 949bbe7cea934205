"""How fast a library of one's own is searched: ``python -m tests.support.library_bench [PAPERS]``.

Words are drawn as in a language (Zipf), so that the commonest are in nearly every paper: worse than real papers.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from orchestrator.core.literature import PaperRef, Query
from orchestrator.literature.library.own_library import OwnLibrary

_COMMON = ["learning", "model", "training", "data", "network", "method", "result", "deep"]
_VOCABULARY = 50_000
_WORDS = _COMMON + [f"word{number}" for number in range(len(_COMMON), _VOCABULARY)]
_WEIGHTS = list(itertools.accumulate(1 / (rank + 5) for rank in range(_VOCABULARY)))
QUERIES = (
    "learning model training data",
    "learning model training data network method",
    "learning",
    "deep network",
    "learning word30",
    "word20 word25 word30",
    "word30 word300 word3000",
    "deep learning word900 word9000",
    "word100 word150 word200 word250 word300 word350",
    "training word40000",
    "word12345 word23456",
    "nowhere",
)


def made(count: int, seed: int = 1) -> Iterator[tuple[PaperRef, str]]:
    """Papers whose titles have 8 words and whose abstracts have 120."""
    draw = random.Random(seed)
    for number in range(count):
        words = draw.choices(_WORDS, cum_weights=_WEIGHTS, k=128)
        yield (
            PaperRef(
                key=f"paper{number}",
                title=" ".join(words[:8]),
                authors=(f"Author {number % 9999}",),
                year=2000 + number % 25,
                abstract=" ".join(words[8:]),
                doi=f"10.1234/{number}",
            ),
            "",
        )


def main(count: int = 100_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        library = OwnLibrary(Path(folder) / "library.sqlite3")
        began = time.perf_counter()
        print(library.add(made(count)), f"{time.perf_counter() - began:.1f} s", end=", ")
        print(f"{library.path.stat().st_size / 2**20:.0f} MiB")
        every, busy = [], []
        for text in QUERIES:
            spent: list[float] = []
            found: tuple[PaperRef, ...] = ()
            for _ in range(7):
                began, worked = time.perf_counter(), time.process_time()
                found = library.search(Query(text, 10))
                busy.append(1000 * (time.process_time() - worked))
                spent.append(1000 * (time.perf_counter() - began))
            every += spent
            print(f"{statistics.median(spent):6.1f} {max(spent):6.1f} ms {len(found):3} {text}")
        print(f"median {statistics.median(every):.1f} ms, worst {max(every):.1f} ms")
        print(f"of this CPU: median {statistics.median(busy):.1f} ms, worst {max(busy):.1f} ms")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
