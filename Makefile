# `make help` lists what there is. Everything works in .venv, which the first target that needs it makes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help demo test check bench soak screenshots constraints clean

help: ## list these targets
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: $(READY) ## a whole working world; the console in a terminal, the main job once without one
	@$(BIN)/jobdeck demo

test: $(READY) ## the whole suite
	PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: $(READY) ## format, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(READY) ## figures beside a peer or a physical limit, as ratios (ONLY=part)
	$(BIN)/python -m benchmarks $(ONLY)

soak: $(READY) ## the long tests, about an hour on two cores (SEED=as it was printed, FULL=1 for the largest sizes)
	$(if $(SEED),JOBDECK_SOAK_SEED=$(SEED)) $(if $(FULL),JOBDECK_SOAK_FULL=1) $(BIN)/python -m pytest -n $(WORKERS) -m soak --dist worksteal

screenshots: $(READY) ## draw screenshots/ from a fixed world and clock
	$(BIN)/python -m tests.harness.screenshots screenshots

constraints: $(READY) ## pin what is installed now
	$(BIN)/python -m pip freeze --exclude-editable --exclude jobdeck | grep -v '@ file' > constraints.txt

clean: ## remove what was made, not what was written
	rm -rf $(VENV) .import_linter_cache .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Jobdeck needs Python 3.11 or newer; name one: make PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Jobdeck and its tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[all,dev]'
	@touch $@
