"""What a metric is by its kind: a loss, an accuracy, a time. A number of one kind is no number of another."""

from __future__ import annotations

import re
from functools import lru_cache

from orchestrator.research.claims.clause_cuts import clause_around
from orchestrator.research.claims.durations import unit_after
from orchestrator.research.claims.facts import Fact
from orchestrator.research.claims.ledger import KnownMetric, Ledger
from orchestrator.research.claims.printed import Printed

_KINDS = {
    "loss": r"loss(?:es)?|nll|cross-?entrop(?:y|ies)|mse|mae|rmse|bpc|bpb|bits?",
    "ppl": r"perplexit(?:y|ies)|ppl",
    "acc": r"acc(?:uracy|uracies)?|precision|recall|top\d?",
    "f1": r"f1|f-?score", "auc": r"auc|auroc|auprc|roc", "bleu": r"bleu|rouge|meteor|chrf",
    "image": r"fid|psnr|ssim|lpips|inception", "reward": r"rewards?|returns?",
    "time": r"times?|runtimes?|durations?|secs?|seconds?|minutes?|hours?|latenc(?:y|ies)|wall",
    "speed": r"throughputs?|speeds?|fps|per",
    "memory": r"memory|vram|ram",
    "step": r"steps?|updates?|epochs?|iterations?",
}  # fmt: skip
_PATTERNS = {kind: re.compile(rf"(?:{words})", re.IGNORECASE) for kind, words in _KINDS.items()}
_LIKE = frozenset(
    {("loss", "ppl"), ("loss", "acc"), ("loss", "f1"), ("loss", "auc"), ("loss", "bleu"), ("loss", "image"), ("loss", "time"),
     ("ppl", "acc"), ("ppl", "f1"), ("ppl", "auc"), ("ppl", "time"), ("acc", "f1"), ("acc", "auc"), ("acc", "bleu"),
     ("acc", "time"), ("acc", "memory"), ("loss", "memory"), ("time", "memory"), ("ppl", "memory"), ("time", "f1")}
)  # fmt: skip
"""Kinds of which one is never the other."""
_NAMED = re.compile(
    r"\b(?P<loss>loss(?:es)?|nll|cross-?entrop(?:y|ies))\b|\b(?P<ppl>perplexit(?:y|ies)|ppl)\b|\b(?P<acc>accurac(?:y|ies))\b"
    r"|\b(?P<f1>f1)\b|\b(?P<auc>auc|auroc|auprc)\b|\b(?P<bleu>bleu|rouge|meteor|chrf)\b|\b(?P<image>fid|psnr|ssim|lpips)\b"
    r"|\b(?P<memory>memory)\b",
    re.IGNORECASE,
)
"""Words that leave no doubt what a number beside them is; "time" and "precision" have other uses."""


@lru_cache(4096)
def kind_of_metric(metric: KnownMetric) -> str:
    """The kind that a metric's name, or else its unit, says; empty where it says none or several."""
    parts = [part for part in re.split(r"[_\W]+", metric.name.lower()) if part]
    found = {kind for kind, pattern in _PATTERNS.items() if any(map(pattern.fullmatch, parts))}
    if "speed" in found:
        return "speed"
    if not found and metric.unit:
        first = metric.unit.split(" ")[0].lower()
        found = {kind for kind, pattern in _PATTERNS.items() if pattern.fullmatch(first)}
    return next(iter(found)) if len(found) == 1 else ""


def is_of_kind(number: Printed, fact: Fact, text: str, ledger: Ledger) -> bool:
    """Whether the last word before a number that says what it is of allows the metric of a fact."""
    own = kind_of_metric(ledger.metric(fact.metric))
    said = kind_said(number, text)
    return not own or not said or ((own, said) not in _LIKE and (said, own) not in _LIKE)


def kind_said(number: Printed, text: str) -> str:
    """The kind of metric that the words of its clause say a number is of; empty where they say none."""
    if unit_after(number, text) is not None:
        return "time"
    clause = clause_around(number.start, number.end, text)
    at = text.find(clause)
    before = [*_NAMED.finditer(text, at, number.start)]
    after = _NAMED.match(text, number.end + 1) if not before else None
    found = before[-1] if before else after
    return found.lastgroup or "" if found else ""
