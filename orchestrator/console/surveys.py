"""``aisci survey``: where the survey is, what it rests on, and what was left out of it."""

from __future__ import annotations

from orchestrator.api.surveys import SurveyOutcome, SurveyRequest, survey_literature
from orchestrator.console import output as out
from orchestrator.core.sanitize import plain_line

_SHOWN = 10  # texts that were left out


def make_survey(request: SurveyRequest, *, as_json: bool) -> None:
    """Make a survey and say where it is."""
    with out.trying("planning …") as say:
        done = survey_literature(request, say)
    survey = done.survey
    if as_json:
        out.as_json(
            {
                "pdf": str(done.pdf),
                "report": str(done.folder / "survey.json"),
                "folder": str(done.folder),
                "pages": done.pages,
                "title": survey.title,
                "found": len(survey.judged),
                "papers": len(survey.kept),
                "groups": [one.name for one in survey.groups],
                "left_out": len(survey.left_out),
                "misfits": list(done.misfits),
                "usd": done.usage.usd,
            }
        )
        return
    _draw(done)


def _draw(done: SurveyOutcome) -> None:
    survey = done.survey
    out.table(("group", "papers"), [(one.name, len(one.keys)) for one in survey.groups])
    out.say(f"\nrecords found: {len(survey.judged)}, by {len(survey.searches)} searches")
    silent = {e.engine: e.why for s in survey.searches for e in s.engines if e.state != "answered"}
    for name, why in silent.items():
        out.say(f"{name} was left out at least once: {plain_line(why)}")
    for one in survey.left_out[:_SHOWN]:
        out.say(
            f"left out of {plain_line(one.section)}: {plain_line(one.text)}: {plain_line(one.why)}"
        )
    if len(survey.left_out) > _SHOWN:
        out.say(f"and {len(survey.left_out) - _SHOWN} more are left out; survey.json lists them")
    for misfit in done.misfits:
        out.say(f"on a page: {plain_line(misfit)}")
    cost = "not known" if done.usage.usd is None else f"${done.usage.usd:.2f}"
    out.say(f"survey: {done.pdf} ({done.pages} pages)\nreport: {done.folder / 'survey.json'}")
    out.say(f"record: {done.folder}\ncost:   {cost}")
