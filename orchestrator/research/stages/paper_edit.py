"""The functions that the stages of a paper share: its text, its facts as prompt blocks, an edit."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.core.edit import Edit
from orchestrator.core.protocols import Blobs
from orchestrator.record.notes import EditRefused
from orchestrator.record.ports import Ports
from orchestrator.research.paper import latex, references, shape, tables
from orchestrator.research.paper.latex import TEX
from orchestrator.research.paper.numbers import format_error, format_mean
from orchestrator.research.prompts import as_table, block, render
from orchestrator.research.run_spec import Study
from orchestrator.research.stages.blocks import (
    figure_rows,
    idea_dict,
    knob_dicts,
    plan_rows,
)
from orchestrator.research.stages.comparing import comparison_rows
from orchestrator.research.stages.requests import request_edit
from orchestrator.template.results import Results


def paper_source(study: Study, ports: Ports) -> str:
    return ports.text(study.tree.as_dict()[TEX])


def with_paper_source(study: Study, ports: Ports, tex: str) -> Study:
    return replace(study, tree=study.tree.updated({TEX: ports.keep(tex)}))


def study_results_table(study: Study) -> str:
    names = {run.number: run.name for run in study.runs}
    return tables.results_table(study.results, study.headline, study.metrics, names)


def paper_facts(study: Study, tex: str, blobs: Blobs) -> str:
    """What is known of a study, as named blocks."""
    blocks = {
        "idea": idea_dict(study.idea),
        "template": _template_facts(study),
        "metrics": _metric_facts(study),
        "results": _result_facts(study),
        "comparisons": as_table(comparison_rows(study, blobs)),
        "plan": plan_rows(study),
        "questions_of_a_critic": study.questions,
        "figures": figure_rows(study.pictures),
        "citations": _citation_facts(study, tex),
    }
    return "\n\n".join(block(name, value) for name, value in blocks.items())


def _template_facts(study: Study) -> dict[str, object]:
    manifest = study.template.manifest
    return {
        "title": manifest.title,
        "description": manifest.description,
        "question": manifest.question,
        "data": {data.name: data.description for data in manifest.data},
        "knobs": knob_dicts(study.template),
        "scale": study.scale,
        "scale_description": manifest.scales[study.scale].description,
    }


def _metric_facts(study: Study) -> dict[str, object]:
    return {
        name: {
            "words": tables.metric_words(name),
            **metric.model_dump(include={"direction", "unit", "description"}),
            "headline": name in study.headline,
        }
        for name, metric in study.metrics.items()
    }


def _result_facts(study: Study) -> list[dict[str, object]]:
    runs = {run.number: run for run in study.runs}
    return [
        {
            "run": number,
            "name": runs[number].name,
            "description": runs[number].description,
            "datasets": _printed(result),
        }
        for number, result in study.results
    ]


def _citation_facts(study: Study, tex: str) -> list[dict[str, str]]:
    abstracts = {paper.key: paper.abstract for paper in study.novelty.papers}
    return [
        {
            "key": one.key,
            **{name: one.fields.get(name, "") for name in ("title", "author", "year")},
            "abstract": abstracts.get(one.key, ""),
        }
        for one in references.references(tex)
    ]


def _printed(results: Results) -> dict[str, dict[str, dict[str, object]]]:
    """Each mean and standard error, with their printed forms."""
    return {
        dataset: {
            metric: {
                "mean": float(f"{mean:.6g}"),
                "stderr": None
                if (error := data.stderrs.get(metric)) is None
                else float(f"{error:.6g}"),
                "print_mean": format_mean(mean, error),
                "print_stderr": None if error is None else format_error(error),
            }
            for metric, mean in data.means.items()
        }
        for dataset, data in results.datasets.items()
    }


def edit_paper(study: Study, ports: Ports, purpose: str, instruction: str) -> Edit:
    """Ask the editor to change the paper's source, which is all that it receives."""
    return request_edit(study, ports, purpose, instruction, {TEX}, (TEX,))


def correct_paper(
    study: Study, ports: Ports, purpose: str, prompt: str, problems: list[str]
) -> tuple[Study, tuple[str, ...]]:
    """Have the editor correct the paper. An edit that violates the rules is noted and not used; the
    reasons are texts for a model.
    """
    tex = paper_source(study, ports)
    shown, facts = block("problems", problems), paper_facts(study, tex, ports.blobs)
    done = edit_paper(study, ports, purpose, render(prompt, problems=shown, facts=facts))
    after = ports.text(done.files.as_dict()[TEX])
    refused = [done.why_not or "the edit changed nothing"]
    if after != tex:
        refused = correction_problems(study, tex, after)
    if refused:
        ports.note(EditRefused(why=tuple(refused)))
        return study, tuple(f"the last correction was not used: {why}" for why in refused)
    return with_paper_source(study, ports, after), ()


def correction_problems(study: Study, before: str, after: str) -> list[str]:
    """Texts for a model: each rule for papers that changing ``before`` to ``after`` violates."""
    problems = []
    if latex.frame(before) != latex.frame(after):
        problems.append("the lines outside of \\begin{document} … \\end{document} were changed")
    if shape.backbone(before) != shape.backbone(after):
        problems.append(
            "the title, the abstract's place, a section's heading or the references were changed"
        )
    else:
        problems += [
            f"more than half of the text after {part!r} was taken out: a correction changes the "
            "sentences that were named"
            for part in shape.emptied_parts(before, after)
        ]
    added = set(latex.primitives(latex.body(after))) - set(latex.primitives(latex.body(before)))
    problems += [f"the command {name} is not for papers" for name in sorted(added)]
    for table in (study_results_table(study), tables.runs_table(study.runs)):
        if table in before and table not in after:
            problems.append("a table that the program made was changed")
    problems += list(latex.figure_problems(latex.body(after), study.figures))
    problems += [
        f"\\cite asks for {key!r}, which is not in the reference list"
        for key in references.unknown_citations(latex.body(after), after)
    ]
    return problems
