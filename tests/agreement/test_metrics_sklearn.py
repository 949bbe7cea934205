"""The metrics equal scikit-learn's and SciPy's, which run in the sandbox's image."""

from __future__ import annotations

import json
import random
import subprocess

import pytest

from orchestrator.agreement.bootstrap import quantile
from orchestrator.agreement.joining import Case
from orchestrator.agreement.metrics import (
    area,
    at_threshold,
    by_decision,
    by_score,
    rank_correlation,
)

PROGRAM = """
import json, sys
import numpy as np
from scipy.stats import spearmanr
from sklearn import metrics as m
out = []
for table in json.load(sys.stdin):
    people, says, scores, ratings = map(np.array, table)
    def rates(said):
        tn, fp, fn, tp = m.confusion_matrix(people, said, labels=[0, 1]).ravel()
        return [m.accuracy_score(people, said), m.balanced_accuracy_score(people, said),
                m.f1_score(people, said, zero_division=0), fp / (fp + tn), fn / (fn + tp)]
    out.append(rates(says) + rates((scores >= 6).astype(int)) + [
        m.roc_auc_score(people, scores), spearmanr(scores, ratings).statistic,
        *np.quantile(ratings, [0.025, 0.975])])
json.dump(out, sys.stdout)
"""


@pytest.mark.engine
def test_random_tables_have_the_metrics_that_scikit_learn_gives() -> None:
    chance = random.Random(11)
    tables, own = [], []
    for _ in range(100):
        size = chance.randrange(4, 300)
        rows = [
            (chance.random() < 0.4, chance.random() < 0.3, chance.randint(1, 10) / chance.choice((1, 1, 2)),
             chance.uniform(1, 10))
            for _ in range(size)
        ]  # fmt: skip
        rows += [(True, True, 6.0, 5.0), (False, False, 5.0, 6.0)]  # neither class is empty
        tables.append([[float(value) for value in column] for column in zip(*rows, strict=True)])
        counts = {
            Case(accepted=p, accepts=s, overall=o, rating=r): rows.count((p, s, o, r))
            for p, s, o, r in set(rows)
        }
        scores, ratings = by_score(counts), sorted(row[3] for row in rows)
        own.append([
            *by_decision(counts).rates().values(), *at_threshold(scores, 6).rates().values(),
            area(scores), rank_correlation(counts), quantile(ratings, 0.025), quantile(ratings, 0.975),
        ])  # fmt: skip
    command = ["docker", "run", "-i", "--rm", "--network", "none", "--entrypoint", "python3"]
    done = subprocess.run(
        [*command, "aisci-sandbox:cpu", "-W", "ignore", "-c", PROGRAM],
        input=json.dumps(tables), capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    for mine, theirs in zip(own, json.loads(done.stdout), strict=True):
        assert mine == pytest.approx(theirs, abs=1e-9)
