"""The message that begins the requests about a whole study: its critic's, its paper's, and its first reader's.

It is the same for all of them, byte for byte, so that a vendor's cache serves it to each but the first. What no run
changes stands first: where a critic asks for more runs, the code is repeated still.
"""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.model import Message
from orchestrator.record.ports import Ports
from orchestrator.research.claims.ledger import Ledger
from orchestrator.research.prompts import render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import code_block, differences_block
from orchestrator.research.stages.look import figure_pictures
from orchestrator.research.stages.paper_facts import measured_facts, subject_facts


def study_opening(study: Study, ledger: Ledger, ports: Ports, role: str) -> Message:
    """Everything that is known of a study, with its figures if the model of ``role`` sees."""
    # What each run changed in the baseline's code is among the facts.
    baseline = replace(study, tree=study.tree.updated(study.runs[0].code))
    text = render(
        "study_begin",
        subject=subject_facts(study),
        code=code_block(baseline, ports),
        facts=measured_facts(study, ledger, ports.blobs),
        differences=differences_block(study, ports),
    )
    return Message("user", text, cache=True, pictures=figure_pictures(study, ports, role))
