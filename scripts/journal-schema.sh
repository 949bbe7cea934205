#!/usr/bin/env bash
# Writes docs/journal.schema.json from the classes of the journal. Run it after changing them.
set -euo pipefail
cd "$(dirname "$0")/.."
.venv/bin/python -m orchestrator.record.schema > docs/journal.schema.json
