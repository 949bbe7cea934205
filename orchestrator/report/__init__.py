"""Reports: one self-contained page for an idea, one for a run, made from journals alone."""

from orchestrator.report.idea import idea_report
from orchestrator.report.index import run_report

__all__ = ["idea_report", "run_report"]
