# Everything is set up in .venv; nothing outside this folder is changed but the model files' shared folder.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export WENZHENG_HOME ?= $(CURDIR)/data
# Public sets that bench measures retrieval over, where they are there; how many answers it asks for.
BENCH_DATA ?= ../shared/data
ANSWERS ?= 0

.DEFAULT_GOAL := help
.PHONY: help run test install models check format bench bench-check bench-peers clean

help: ## Say what can be made
	@grep -hE '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

run: $(VENV)/.installed models ## Serve the chat page over samples/ at http://127.0.0.1:7860
	$(BIN)/wenzheng serve --ingest samples

test: $(VENV)/.installed-dev models ## Run the tests, those with the real models included
	$(BIN)/python -m pytest

install: $(VENV)/.installed-dev ## Make .venv with everything that development needs

models: $(VENV)/.installed ## Obtain and verify the model files
	@$(BIN)/wenzheng models pull

check: $(VENV)/.installed-dev ## Format and lint check, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy -p benchmarks.peers

format: $(VENV)/.installed-dev ## Format the code and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev models ## Measure ingestion and retrieval (with ANSWERS=60 also answers)
	$(BIN)/python -m eval.ingestion
	$(BIN)/python -m eval.regression --data "$(BENCH_DATA)" --answers $(ANSWERS)

bench-check: $(VENV)/.installed-dev models ## Measure retrieval; fail where it fell since the last bench
	$(BIN)/python -m eval.regression --data "$(BENCH_DATA)" --check

bench-peers: $(VENV)/.installed-dev models .venv-peers/.installed ## Measure stock pipelines beside Wenzheng (LIMIT=24)
	$(BIN)/python -m benchmarks.peers $(if $(LIMIT),--limit $(LIMIT))

.venv-peers/.installed: benchmarks/peers/requirements.txt
	$(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install -r $<
	@touch $@

clean: ## Remove .venv, caches and the library in data/ (model files stay)
	rm -rf $(VENV) .venv-peers data build *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo 'Python 3.11 or newer is needed; name one with: make PYTHON=/path/to/python3.11'; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo 'Installing the pinned packages (see README for sizes) …'
	$(BIN)/python -m pip install -c constraints.txt -e .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@
