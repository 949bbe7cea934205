"""``aisci export``: a run as one file, or its numbers as a table."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from orchestrator.api.archive import pack_run
from orchestrator.api.bundle import pack_evidence
from orchestrator.api.exported import unpacking
from orchestrator.api.metric_table import csv_text, metric_rows
from orchestrator.console import output as out
from orchestrator.console.signing_keys import key_named
from orchestrator.core.errors import UserError
from orchestrator.core.files import write
from orchestrator.core.units import rough_text


def export_runs(
    names: list[str],
    results: Path,
    *,
    into: Path | None,
    as_csv: bool,
    as_json: bool,
    bundle: str | None = None,
) -> None:
    """Pack one run into a file; with ``as_csv`` or ``as_json``, give the numbers of all runs named; with the key
    ``bundle``, the signed evidence of one.
    """
    if as_csv + as_json + (bundle is not None) > 1:
        raise UserError(
            "one file has one form",
            where="--csv --json --bundle",
            todo="leave all but one of them out",
        )
    if as_csv or as_json:
        rows = metric_rows(names, results)
        if into is not None and into != Path("-"):
            text = csv_text(rows) if as_csv else out.json_lines(map(asdict, rows))
            write(into, text)
            out.say(f"{out.counted(len(rows), 'row')}: {into}")
        elif as_csv:
            out.verbatim(csv_text(rows))
        else:
            for row in rows:
                out.as_json(asdict(row))
        return
    if len(names) > 1:
        raise UserError(
            "one file holds one run",
            where=" ".join(names),
            todo="export one after the other; --csv and --json take several",
        )
    if bundle is not None:
        made = pack_evidence(names[0], results, key_named(bundle, "--bundle"), into)
        out.say(f"bundle:   {made.file} ({out.counted(made.statements, 'statement')})")
        out.say(f"signer:   {made.signer}")
        out.say(f"head:     {made.head}")
        return
    done = pack_run(names[0], results, into)
    out.say(f"exported: {done.file} ({out.counted(done.files, 'file')}, {rough_text(done.size)})")
    out.say(f"head:     {done.head} (tell it apart from the file)")
    first, *more = unpacking(done.file, done.run, done.head)
    out.say("\n".join((f"there:    {first}", *(f"          {line}" for line in more))))
