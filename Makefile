# Forewarn: everything a developer does. `make` alone explains itself.

PYTHON ?=
ARGS ?=
RUN := .venv/bin
READY := .venv/.ready
EXPORT := uv export --frozen --quiet --no-emit-project --format requirements-txt

.DEFAULT_GOAL := help
.PHONY: help setup compile uncompile demo test simulate mutants chaos bench check format lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo "  PYTHON=python3.12 chooses the interpreter (3.11 or newer), ARGS='…' goes to demo or to pytest."

setup: $(READY) ## Build .venv with the locked dependencies and the forewarn executable

$(READY): uv.lock requirements-dev.lock pyproject.toml .ci/setup
	@PYTHON='$(PYTHON)' .ci/setup
	@touch $(READY)

compile: $(READY) uncompile ## Make machine code of the core, in place: twice as fast (some minutes; needs a C compiler)
	@HATCH_BUILD_HOOK_ENABLE_MYPYC=true $(RUN)/hatchling build --target wheel --hooks-only

uncompile: ## Run the core as Python again
	@find sla schemas -name '*.so' -exec rm {} +
	@rm -f *__mypyc.*.so

demo: $(READY) ## Watch services deteriorate in fast motion, and be warned before they breach
	@$(RUN)/forewarn demo $(ARGS)

test: $(READY) ## Run all the tests (ARGS='-k name' for some)
	@$(RUN)/python -m pytest -n 2 $(ARGS)

simulate: $(READY) ## Run 1,000 schedules of trouble in a world in memory (ARGS='--seeds 0..99')
	@$(RUN)/python -m tests.simulation $(ARGS)

mutants: $(READY) ## Plant bugs, one at a time, and see the simulation catch each
	@$(RUN)/python -m tests.simulation.planted $(ARGS)

chaos: $(READY) ## Kill, freeze and cut off workers on a real Kafka (ARGS='--seed 1 --minutes 10 --faults kill=9')
	@$(RUN)/python -m tests.chaos $(ARGS)

bench: $(READY) ## Measure side by side, pinned to one core (ARGS='counting size' for some, --help for the list)
	@$(RUN)/python -m bench $(ARGS)

check: $(READY) ## Lint, formatting, types, import arrows, the rules about the code, lock drift
	$(RUN)/ruff check .
	$(RUN)/ruff format --check .
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python -m pytest tests/test_tidy.py tests/test_timeouts.py tests/test_lock.py

format: $(READY) ## Format the code and sort its imports
	$(RUN)/ruff check --fix --select I .
	$(RUN)/ruff format .

lock: ## Resolve again after a change of dependencies (needs uv)
	uv lock
	$(EXPORT) --no-default-groups --output-file requirements.lock
	$(EXPORT) --all-groups --output-file requirements-dev.lock
	$(EXPORT) --only-group build --output-file requirements-build.lock

clean: uncompile ## Remove .venv, machine code and every cache
	rm -rf .venv .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
