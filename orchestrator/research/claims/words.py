"""The words that papers use for numbers, changes, comparisons and what was measured."""

from __future__ import annotations

import re
from functools import cache

NUMBER_WORDS = {
    "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30, "forty": 40,
    "fifty": 50, "hundred": 100,
}  # fmt: skip

SYNONYMS = {
    "validation": "val", "heldout": "val", "held": "val", "unseen": "val", "development": "val",
    "accuracy": "acc", "accuracies": "acc", "losses": "loss", "crossentropy": "loss",
    "training": "train", "memorised": "train", "errors": "error", "err": "error",
    "untrained": "initial", "initialisation": "initial", "initialization": "initial",
    "averaged": "average", "averaging": "average", "avg": "average", "averages": "average",
    "iterations": "step", "iteration": "step", "updates": "step", "update": "step",
    "steps": "step", "throughput": "speed", "bit": "bits", "peaks": "peak", "days": "day",
    "infections": "infected", "infectious": "infectious", "parameters": "parameter",
    "deviation": "std", "deviations": "std", "sd": "std", "gains": "gain", "forecasts": "forecast",
    "forecasting": "forecast", "bias": "bias", "biases": "bias",
    "fluctuation": "fluct", "fluctuations": "fluct", "perplexity": "ppl", "testing": "test",
    "δ": "delta",
}  # fmt: skip
"""A word, and the one that stands for it in the names of metrics and settings."""

EXCLUSIVE = ({"val", "train", "test"}, {"initial", "final"})
"""Words of which a metric's name has one: with another of the set, a text speaks of another metric."""

OPTIONAL = {"mean", "final", "best", "average", "std", "total", "the", "of"}
"""Words of a metric's name that a text may leave out."""

UP = (
    r"ris(?:e|es|ing|en)|rose|rais(?:e|es|ed|ing)|increas\w+|grows?|grew|higher|larger|greater"
    r"|above|exceed\w*|lift(?:s|ed|ing)?|climb\w*|surpass\w*|(?:go(?:es|ing)?|went|moves?) up(?= (?:from|by)\b)|up(?= by\b)"
)
DOWN = (
    r"falls?(?! into| apart| to zero)|fell|fallen|decreas\w+|drop(?:s|ped|ping)?|lower(?:s|ed)?|smaller|below"
    r"|reduc\w+|declin\w+|cuts?|(?:shrinks?|shrank)(?= (?:by|from)\b)|(?:go(?:es|ing)?|went|moves?) down(?= (?:from|by)\b)|down(?= by\b)"
)
BETTER = r"improv\w+|better|beats?|outperform\w*|wins?|helps?|helped|benefit\w*|superior"
WORSE = r"wors(?:e|en|ens|ened|ening)|degrad\w+|hurts?|harm\w*|inferior|deteriorat\w+|loses? (?:in|against|to)(?! (?:generality|detail))"

CHANGES = {
    side: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for side, words in {"up": UP, "down": DOWN, "better": BETTER, "worse": WORSE}.items()
}

OBJECT = re.compile(
    r"\b(?:(?:than|(?<!handed )(?<!carried )(?<!taken )over|against|versus|vs\.?|(?:compared|relative) (?:with|to))(?:\s+[\w'-]+){1,6}\s*\("
    r"|(?:than|over|against|versus|vs\.?|(?:compared|relative|equal|similar|identical) (?:with|to)"
    r"|as (?:well|good|long|large|high|much|many|fast|slow|low|small|big) as|from|beats?|exceeds?|outperforms?|improv(?:es?|ed|ing) (?:up)?on|instead of|rather than|below|above|of|unlike"
    r"|matches)(?:\s+(?:that|those|the|in|of|for|its|with|under|by|at|on|run))*)\s*$"
)
"""Before a run's name: it is what something is compared with."""

BEST = re.compile(r"\b(?:best|strongest)\b")
WORST = re.compile(r"\b(?:worst|weakest)\b")
HIGHEST = re.compile(r"\b(?:highest|largest|greatest|longest)\b")
LOWEST = re.compile(r"\b(?:lowest|smallest|fewest|shortest)\b")

CLEAR_WORD = re.compile(
    r"\b(?:clear(?:ly)?|significant(?:ly)?|beyond (?:the |twice the )?(?:standard )?errors?"
    r"|outside (?:the )?(?:standard )?errors?|well separated|distinguish\w+|more than two (?:standard )?errors)\b"
)
NO_DIFFERENCE = re.compile(
    r"\b(?:no (?:\w+ ){0,2}(?:differences?|effect|change|improvement|benefit)|brings? nothing|(?:just|works?|does|do) as (?:well|good) as"
    r"|as (?:well|good|low|high|large|small) (?:in|for|with|under|on)"
    r"|on (?:a )?par|agrees?\b|match(?:es|ed)?\b|within (?:\w+ ){0,3}errors?"
    r"|indistinguishable|not (?:\w+ ){0,2}(?:distinguish\w+|differ\w*|significant\w*|clear\w*)"
    r"|cannot be (?:told|separated|distinguished)|makes? no difference|does not (?:differ|change|matter)"
    r"|do not (?:differ|change)|unchanged|(?:is|are) the same|identical)\b"
)
NEGATED = re.compile(r"\b(?:no|not|none|never|neither|nor|without|cannot|fails? to|n't)\b|n't\b")
HEDGED = re.compile(
    r"\b(?:would|could|might|may|should|whether|if|(?<!as )(?<!than )expect\w*|hypothes\w+|predict\w*|would need"
    r"|ask(?:s|ed)?|question|suppose\w*|refut\w+|had (?:been )?hoped|next|future|unclear|unknown)\b"
)

OF_A_CURVE = re.compile(r"\b(?:figures?|curves?|panels?|dips?|bands?|markers?|plotted|drawn)\b")
"""Words of a picture: what rises and falls in it is no difference of ends."""

HARDWARE = re.compile(
    r"\b(?:A100|H100|H200|V100|P100|T4|A6000|RTX ?\d*|TPU(?:s|v\d)?|GPUs?|CUDA|NVIDIA|Apple M\d|cluster"
    r"|Tesla|Titan)\b"
)
SOFTWARE = re.compile(
    r"\b(?:PyTorch|TensorFlow|JAX|Keras|scikit-learn|sklearn|NumPy|SciPy|Flax|MATLAB|Julia"
    r"|Lightning|Hugging ?Face|transformers library|xgboost|LightGBM)\b",
    re.IGNORECASE,
)
TESTS = re.compile(
    r"(?<![A-Za-z])p\s*(?:<|>|=|≤)\s*0?\.\d+|\bp-values?\b|\b(?:t-test|ANOVA|Wilcoxon|Mann-Whitney"
    r"|permutation test|bootstrap\w*|chi-squared?)\b",
    re.IGNORECASE,
)


def spelled_count(said: str) -> int | None:
    """The value of "5", "five" or "one"; None for another word."""
    if said.isdigit():
        return int(said[:6])
    return 1 if said.lower() == "one" else NUMBER_WORDS.get(said.lower())


@cache
def plain_form(word: str) -> str:
    """The form of a word in which names and texts are compared."""
    lower = word.lower()
    if lower in SYNONYMS:
        return SYNONYMS[lower]
    if len(lower) > 5 and lower.endswith(("ches", "shes", "xes")):
        return SYNONYMS.get(lower[:-2], lower[:-2])
    if len(lower) > 4 and lower.endswith("s") and lower[-2:] not in {"ss", "us", "is"}:
        singular = lower[:-1]
        return SYNONYMS.get(singular, singular)
    return lower


@cache
def words_of(name: str) -> tuple[str, ...]:
    """The plain words of a metric's or setting's name: ``final_val_loss_mean``."""
    parts = re.findall(r"[A-Za-z]+|\d+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return tuple(plain_form(part) for part in parts)
