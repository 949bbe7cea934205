"""Reports: one self-contained page for an idea, one for a run, made from journals alone."""

from orchestrator.report.idea import idea_report
from orchestrator.report.index import run_report
from orchestrator.report.reading import RunFacts, read_run

__all__ = ["RunFacts", "idea_report", "read_run", "run_report"]
