"""``python -m orchestrator.research.loopback [--port 0] [--script FILE] [--log FILE]``.

The first line of output is the base address; a line follows for each request.
"""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from orchestrator.core.errors import AisciError, UserError
from orchestrator.research.loopback.author import from_model, loopback_author
from orchestrator.research.loopback.script import ServerScript, server_script, with_faults
from orchestrator.research.loopback.server import ModelServer


def main() -> int:
    """Serve until the process is stopped; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m orchestrator.research.loopback",
        description="A model's server for tests: OpenAI's chat format on 127.0.0.1, answers without a model.",
    )
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--script", type=Path, help="a YAML or JSON file of answers and faults")
    parser.add_argument("--log", type=Path, help="a file that gets each request as a line of JSON")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _serve(options.port, options.script, options.log)
    except AisciError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def _serve(port: int, script: Path | None, log: Path | None) -> None:
    own = server_script(script) if script else ServerScript()
    answers = with_faults(from_model(loopback_author(own.answers)), own.faults)
    server = ModelServer(answers, log, tell=_say)
    try:
        with server.running(port):
            _say(server.url)
            signal.pause()
    except (OSError, OverflowError) as error:
        raise UserError(
            "the server cannot start",
            where=f"--port {port}",
            why=str(error),
            todo="choose another port, or 0 for any free one",
        ) from error


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - the answer


if __name__ == "__main__":
    sys.exit(main())
