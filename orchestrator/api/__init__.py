"""What the command, a notebook and continuous integration call.

Each function returns an outcome and takes a listener; none prints. Errors rise as
:class:`orchestrator.core.errors.AisciError`::

    from orchestrator.api import RunRequest, run

    outcome = run(RunRequest(template="grokking", scale="smoke", policy="ci-cpu"), listener=print)
    for idea in outcome.ideas:
        print(idea.status, idea.paper)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.api.audits import audit as audit
    from orchestrator.api.baselines import baseline as baseline
    from orchestrator.api.dry_runs import preview_run as preview_run
    from orchestrator.api.estimate import estimate_run as estimate_run
    from orchestrator.api.export import write_reports as write_reports
    from orchestrator.api.ideas_only import IdeasRequest as IdeasRequest
    from orchestrator.api.ideas_only import propose_list as propose_list
    from orchestrator.api.importing import ImportRequest as ImportRequest
    from orchestrator.api.importing import import_results as import_results
    from orchestrator.api.left_out import leave_out_of as leave_out_of
    from orchestrator.api.literature import add_files as add_files
    from orchestrator.api.literature import search_papers as search_papers
    from orchestrator.api.making_ready import make_run_ready as make_run_ready
    from orchestrator.api.model_check import check_model as check_model
    from orchestrator.api.novelty import NoveltyRequest as NoveltyRequest
    from orchestrator.api.novelty import judge_ideas as judge_ideas
    from orchestrator.api.pdf_pages import seen_pages as seen_pages
    from orchestrator.api.pdf_review import ReviewRequest as ReviewRequest
    from orchestrator.api.pdf_review import review_pdf as review_pdf
    from orchestrator.api.prepare import RunRequest as RunRequest
    from orchestrator.api.proofs import prove as prove
    from orchestrator.api.reproduce import replay as replay
    from orchestrator.api.resume_request import ResumeRequest as ResumeRequest
    from orchestrator.api.review_bench import bench_reviewer as bench_reviewer
    from orchestrator.api.review_bench import compare_reviews as compare_reviews
    from orchestrator.api.runs import resume as resume
    from orchestrator.api.runs import run as run
    from orchestrator.api.slides import SlidesRequest as SlidesRequest
    from orchestrator.api.slides import slides_of as slides_of
    from orchestrator.api.stage_request import StageRequest as StageRequest
    from orchestrator.api.stage_request import stages_again as stages_again
    from orchestrator.api.staging import stage_data as stage_data
    from orchestrator.api.surveys import SurveyRequest as SurveyRequest
    from orchestrator.api.surveys import survey_literature as survey_literature
    from orchestrator.api.template_check import check_template as check_template
    from orchestrator.record.pins import ReviewPin as ReviewPin

_MODULES = {
    "audits": ("audit",),
    "baselines": ("baseline",),
    "dry_runs": ("preview_run",),
    "estimate": ("estimate_run",),
    "export": ("write_reports",),
    "ideas_only": ("IdeasRequest", "propose_list"),
    "importing": ("ImportRequest", "import_results"),
    "left_out": ("leave_out_of",),
    "literature": ("add_files", "search_papers"),
    "model_check": ("check_model",),
    "novelty": ("NoveltyRequest", "judge_ideas"),
    "pdf_review": ("ReviewPin", "ReviewRequest", "review_pdf"),
    "prepare": ("RunRequest",),
    "making_ready": ("make_run_ready",),
    "proofs": ("prove",),
    "resume_request": ("ResumeRequest",),
    "review_bench": ("bench_reviewer", "compare_reviews"),
    "reproduce": ("replay",),
    "runs": ("resume", "run"),
    "pdf_pages": ("seen_pages",),
    "slides": ("SlidesRequest", "slides_of"),
    "staging": ("stage_data",),
    "stage_request": ("StageRequest", "stages_again"),
    "surveys": ("SurveyRequest", "survey_literature"),
    "template_check": ("check_template",),
}
__all__ = [name for names in _MODULES.values() for name in names]


def __getattr__(name: str) -> Any:
    """Import a function's module when it is first used: a small command stays quick."""
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
