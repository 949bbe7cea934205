"""``aisci template check --run``: the template's own experiment and plot, in real containers."""

from __future__ import annotations

import tempfile
from pathlib import Path

from orchestrator.beats import check_beats
from orchestrator.blobs import BlobStore
from orchestrator.console import out
from orchestrator.console.wiring import STORAGE, usable_policy
from orchestrator.edges.allowance import Allowance
from orchestrator.edges.engine import connect
from orchestrator.edges.images import resolve
from orchestrator.edges.sandbox import DockerSandbox
from orchestrator.policy import Policy
from orchestrator.records import Job, JobResult, Tree
from orchestrator.results import parse_final_info
from orchestrator.template import Template

FINAL = "run_0/final_info.json"


def try_out(template: Template, policy_name: str, *, as_json: bool) -> int:
    """Run both at the smallest scale, and say what came of it; exit code 1 if something failed."""
    policy = usable_policy(policy_name, Path())
    scale = next(iter(template.manifest.scales))
    engine = connect()
    images = {STORAGE: resolve(engine, STORAGE)}
    image = policy.limits("experiment").image
    images[image] = resolve(engine, image)
    with tempfile.TemporaryDirectory(prefix="aisci-trial-") as folder:
        store = BlobStore(Path(folder))
        files = Tree.of({name: store.put(data) for name, data in template.files.items()})
        with DockerSandbox(
            engine,
            store,
            f"trial-{template.name}",
            images.__getitem__,
            allowance=Allowance(policy.run),
        ) as sandbox:
            argv = ("python", "experiment.py", "--out_dir=run_0")
            ran = sandbox.run(_job(template, policy, scale, files, argv, "run_0/"))
            if not ran.ok or ran.files.get(FINAL) is None:
                return _say("experiment.py", ran, as_json=as_json)
            drew = sandbox.run(
                _job(
                    template,
                    policy,
                    scale,
                    files.updated(ran.files),
                    ("python", "plot.py"),
                    "*.png",
                )
            )
            failed = _say("experiment.py", ran, as_json=as_json)
            failed |= _say("plot.py", drew, as_json=as_json)
            return failed | _say_beats(
                template, scale, store.get(dict(ran.files.files)[FINAL]), as_json
            )


def _job(
    template: Template,
    policy: Policy,
    scale: str,
    files: Tree,
    argv: tuple[str, ...],
    *harvest: str,
) -> Job:
    return Job(
        scope=f"trial/{argv[1]}",
        kind="experiment",
        argv=argv,
        files=files.without("latex"),
        limits=policy.limits("experiment"),
        policy=policy.hash,
        harvest=harvest,
        env=tuple(template.scale(scale).env.items()),
    )


def _say(name: str, result: JobResult, *, as_json: bool) -> int:
    home = list(result.files.paths())
    good = result.ok and bool(home)
    if as_json:
        tail = result.stderr[-1000:]
        out.as_json({"ran": name, "verdict": result.verdict, "files": home, "stderr": tail})
    else:
        seconds = result.attestation.peaks.wall
        out.say(
            f"{name}: {result.verdict} after {seconds:.1f} s; came home: {', '.join(home) or 'nothing'}"
        )
        for line in [] if good else result.stderr.splitlines()[-12:]:
            out.say(f"  | {line}")
    return 0 if good else 1


def _say_beats(template: Template, scale: str, final_info: bytes, as_json: bool) -> int:  # noqa: FBT001 - one private caller
    beats = check_beats(template.manifest, scale, parse_final_info(final_info))
    for beat in beats:
        state = "beats" if beat.held else "does NOT beat"
        text = (
            f"{beat.dataset}: {beat.metric} {beat.trained:.4g} {state} the untrained "
            f"{beat.untrained:.4g} by {beat.margin:g}"
        )
        out.as_json({"beats": beat.held, "text": text}) if as_json else out.say(text)
    return 0 if all(beat.held for beat in beats) else 1
