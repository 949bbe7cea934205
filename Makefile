# Every target sets up what it needs, and is quick when nothing has changed.
SHELL := bash
AISCI := .venv/bin/aisci
PYTEST := .venv/bin/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help venv wheel engine gvisor images machine tools demo check unit test samples campaign clean

help: ## this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## */  make \1\t/' | expand -t 18

demo: images ## set up, then one small idea from template to paper; no key, no GPU
	$(AISCI) run grokking --model builtin/sweep --ideas 1 --scale smoke --policy ci-cpu

unit: venv ## the tests that need no engine and start no program; four minutes
	$(PYTEST) -m unit -n 2 --no-loadscope-reorder

test: check images gvisor tools ## set up, then every kind of test; says what it skipped and why
	@scripts/test.sh

check: venv ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

samples: images gvisor tools ## every item of the lists of which `make test` takes a sample; over an hour
	AISCI_TEST_FULL=samples $(PYTEST) -n 2 -m "sampled and not campaign and not serial"
	AISCI_TEST_FULL=samples $(PYTEST) -m "sampled and serial and not campaign"

campaign: images gvisor machine ## the full counts; their dated results go into bench/
	AISCI_TEST_FULL=1 $(PYTEST) -m "campaign or sampled"

images: engine ## build the images whose recipe changed
	$(AISCI) images build
	$(AISCI) images build mace # has packages of its own

engine: venv ## see that a Docker engine answers; on Debian or Ubuntu, as root, install and start one
	@scripts/setup-engine.sh

gvisor: engine ## gVisor as a runtime of the engine that this set-up started; elsewhere it says how
	@scripts/setup-gvisor.sh

machine: venv ## the campaign's QEMU machine: Debian 12 with cgroups of version 2 and XFS
	@scripts/setup-machine.sh

wheel: venv ## dist/: the wheel, and the list that installs it by hash
	@scripts/wheel.sh

venv: ## .venv, from uv.lock
	@scripts/setup-venv.sh

tools: ## chromium, softhsm2, apparmor and the like, which tests look through
	@scripts/setup-tools.sh

clean: ## remove what can be made again; results and images stay
	@scripts/clean.sh
