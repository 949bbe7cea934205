"""Published figures of reviewers on 500 papers of ICLR 2022, for comparison."""

from __future__ import annotations

from dataclasses import dataclass

SOURCE = (
    "Lu et al., The AI Scientist (arXiv:2408.06292), table 1: 500 papers of ICLR 2022; the row of "
    "people is from the consistency experiment of NeurIPS 2021, on other papers"
)
AUC_NOTE = (
    "The published AUC is of the decisions, and so equals the balanced accuracy; the AUC measured "
    "here is of the overall score."
)


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """A reviewer's figures as printed, 0–1."""

    name: str
    balanced: float
    accuracy: float
    f1: float
    auc: float
    fpr: float
    fnr: float


PEOPLE = PublishedRow("people", 0.66, 0.73, 0.49, 0.65, 0.17, 0.52)
RANDOM = PublishedRow("random decision", 0.50, 0.50, 0.40, 0.50, 0.50, 0.50)
REJECT = PublishedRow("always reject", 0.50, 0.59, 0.00, 0.50, 0.00, 1.00)
ONE = PublishedRow("GPT-4o, 1-shot", 0.60, 0.70, 0.37, 0.60, 0.04, 0.76)
AT_SIX = PublishedRow("GPT-4o, 1-shot, threshold 6", 0.65, 0.66, 0.57, 0.65, 0.31, 0.39)
PUBLISHED = (PEOPLE, RANDOM, REJECT, ONE, AT_SIX)
