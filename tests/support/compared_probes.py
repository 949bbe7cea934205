r"""Sentences about :mod:`tests.support.probe_study` that set runs beside each other or count them, and lists that are
numbered by hand: true ones, and false ones that differ in one thing.
"""

from __future__ import annotations

TRUE: dict[str, tuple[str, ...]] = {
    "apart": (
        "On enwik8, the validation losses of the baseline and run 3 are within 0.02 of each other.",
        "On enwik8, the validation losses of run 1 and run 2 differ by less than 0.1.",
        "On enwik8, the baseline and run 3 agree to within 2\\% in validation loss.",
        "On enwik8, no two runs are further apart than 0.09 in validation loss.",
        "On enwik8, the accuracies of the baseline and run 1 are at most 2.5 percentage points apart.",
        "On enwik8, all runs lie within 0.1 of each other in validation loss.",
        "On enwik8, the validation loss of run 3 is within 0.03 of that of run 2.",
        "On enwik8, run 2 stays within 0.05 of the baseline in validation loss.",
        "On enwik8, the validation losses of run 1 and run 2 lie more than 0.08 apart.",
        "On enwik8, run 2 and run 3 differ by no more than 0.03 in validation loss.",
    ),
    "counted": (
        "In none of the runs does the accuracy on shakespeare\\_char reach 60\\%.",
        "On enwik8, the validation loss never exceeds 1.06.",
        "On enwik8, the training loss stays below 1.0 in every run.",
        "Only one run gets above an accuracy of 73\\% on enwik8.",
        "All but one of the runs have a validation loss above 1.0 on enwik8.",
        "Neither run 2 nor run 3 reaches a validation loss below 1.0 on enwik8.",
        "On shakespeare\\_char, no run gets to an accuracy of 60\\%.",
        "On enwik8, two of the four runs have an accuracy above 71.5\\%.",
        "On enwik8, only run 1 has a validation loss below 1.0.",
        "Except for run 1, every run has a validation loss above 1.0 on enwik8.",
    ),
    "numbered": (
        "We find three things. (1) On enwik8, run 1 has a validation loss of 0.97. (2) On enwik8, run 2 trains in 1500 s. (3) Run 3 has 12 layers.",
        "Our study has: (1) a run with a dropout of 0.3; (2) a run with 4 layers; and (3) a run with 12 layers.",
        "1. Run 1 has a dropout of 0.3. 2. Run 2 has 4 layers. 3. Run 3 has 12 layers.",
        "On enwik8, i) run 1 has a validation loss of 0.97; ii) run 2 has one of 1.053; iii) run 3 has one of 1.030.",
        "First, run 1 has a validation loss of 0.97 on enwik8; second, run 2 has one of 1.053; third, run 3 has one of 1.030.",
        "On enwik8, two things stand out: 1) run 1 has a validation loss of 0.97, and 2) run 2 has one of 1.053.",
        "\\textbf{(1)} On enwik8, run 1 has a validation loss of 0.97.\n\n\\textbf{(2)} On enwik8, run 2 has a validation loss of 1.053.",
        "\\textbf{1.} On enwik8, the accuracy of run 1 is 73.3\\%. \\textbf{2.} That of run 2 is 69.0\\%.",
        "\\begin{itemize}\\item[(1)] On enwik8, run 1 has a validation loss of 0.97. \\item[(2)] Run 3 has 12 layers.\\end{itemize}",
        "\\paragraph{1. Loss.} On enwik8, run 1 has a validation loss of 0.97. \\paragraph{2. Time.} On enwik8, run 2 trains in 1500 s.",
    ),
}  # fmt: skip

FALSE: dict[str, tuple[str, ...]] = {
    "apart": (
        "On enwik8, the validation losses of the baseline and run 3 are within 0.01 of each other.",
        "On enwik8, the validation losses of run 1 and run 2 differ by less than 0.05.",
        "On enwik8, the baseline and run 2 agree to within 2\\% in validation loss.",
        "On enwik8, no two runs are further apart than 0.05 in validation loss.",
        "On enwik8, the accuracies of the baseline and run 1 are at most 1.5 percentage points apart.",
        "On enwik8, all runs lie within 0.05 of each other in validation loss.",
        "On enwik8, the validation loss of run 1 is within 0.03 of that of run 2.",
        "On enwik8, run 2 stays within 0.02 of the baseline in validation loss.",
        "On enwik8, the validation losses of run 1 and run 3 lie more than 0.08 apart.",
        "On enwik8, run 1 and run 3 differ by no more than 0.03 in validation loss.",
    ),
    "counted": (
        "In none of the runs does the accuracy on shakespeare\\_char reach 58\\%.",
        "On enwik8, the validation loss never exceeds 1.04.",
        "On enwik8, the training loss stays below 0.95 in every run.",
        "Only one run gets above an accuracy of 70\\% on enwik8.",
        "All but one of the runs have a validation loss below 1.0 on enwik8.",
        "Neither run 1 nor run 3 reaches a validation loss below 1.0 on enwik8.",
        "On shakespeare\\_char, no run gets to an accuracy of 55\\%.",
        "On enwik8, two of the four runs have an accuracy above 70\\%.",
        "On enwik8, only run 1 has a validation loss below 1.02.",
        "Except for run 2, every run has a validation loss above 1.0 on enwik8.",
    ),
    "numbered": (
        "We find three things. (1) On enwik8, run 1 has a validation loss of 0.97. (2) On enwik8, run 2 trains in 2400 s. (3) Run 3 has 12 layers.",
        "Our study has: (1) a run with a dropout of 0.5; (2) a run with 4 layers; and (3) a run with 12 layers.",
        "1. Run 1 has a dropout of 0.3. 2. Run 2 has 4 layers. 3. Run 3 has 9 layers.",
        "On enwik8, i) run 1 has a validation loss of 1.053; ii) run 2 has one of 0.97; iii) run 3 has one of 1.030.",
        "First, run 1 has a validation loss of 1.053 on enwik8; second, run 2 has one of 0.97; third, run 3 has one of 1.030.",
        "On enwik8, two things stand out: 1) run 1 has a validation loss of 1.053, and 2) run 2 has one of 0.97.",
        "\\textbf{(1)} On enwik8, run 1 has a validation loss of 0.97.\n\n\\textbf{(2)} On enwik8, run 2 has a validation loss of 0.97.",
        "\\textbf{1.} On enwik8, the accuracy of run 1 is 73.3\\%. \\textbf{2.} That of run 2 is 73.3\\%.",
        "On enwik8, run 1 has a training loss of 2. Run 3 has 12 layers.",
        "The accuracy of run 1 on enwik8 (7) is the best.",
        "(7) layers are in run 3.",
    ),
}  # fmt: skip
