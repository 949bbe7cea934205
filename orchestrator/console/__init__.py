"""What the ``aisci`` command shows and joins: with ``cli.py``, the only importers of rich.

The modules that commands use are imported when first used: ``aisci --help`` answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.console import (
        audit,
        check,
        completion,
        config,
        data,
        demo,
        detaching,
        disk_use,
        docs,
        doctor,
        dry_run,
        errors,
        estimate,
        export_run,
        ideas,
        images,
        importing,
        literature,
        model_check,
        models,
        novelty,
        paper_reading,
        pdf_review,
        policy,
        policy_check,
        policy_explain,
        policy_prove,
        preparing,
        removing,
        review_bench,
        run,
        run_compare,
        run_list,
        run_logs,
        run_status,
        sbom,
        security_events,
        slides,
        stopping,
        surveys,
        template,
        template_adopt,
        template_list,
        template_new,
        template_show,
        version,
    )

__all__ = [
    "audit",
    "check",
    "completion",
    "config",
    "data",
    "demo",
    "detaching",
    "disk_use",
    "docs",
    "doctor",
    "dry_run",
    "errors",
    "estimate",
    "export_run",
    "ideas",
    "images",
    "importing",
    "literature",
    "model_check",
    "models",
    "novelty",
    "paper_reading",
    "pdf_review",
    "policy",
    "policy_check",
    "policy_explain",
    "policy_prove",
    "preparing",
    "removing",
    "review_bench",
    "run",
    "run_compare",
    "run_list",
    "run_logs",
    "run_status",
    "sbom",
    "security_events",
    "slides",
    "stopping",
    "surveys",
    "template",
    "template_adopt",
    "template_list",
    "template_new",
    "template_show",
    "version",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
