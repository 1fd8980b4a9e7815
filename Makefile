# kitchen_watch: everything a user or a contributor does, in one word each.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help install demo test test-train bench bench-backend bench-city lint lock clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

$(VENV)/.installed: pyproject.toml requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) was not found. Install Python 3.11 or newer, or say: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "kitchen_watch needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version). Say: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "A virtual environment could not be made. On Debian/Ubuntu: sudo apt-get install python3-venv"; exit 2; }
	$(PIP) install --quiet --constraint requirements.lock --editable '.[demo]'
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PIP) install --quiet --constraint requirements.lock --editable '.[demo,dev]'
	@touch $@

install: $(VENV)/.installed ## make .venv and install kitchen_watch into it

demo: $(VENV)/.installed ## sample cameras, edge, backend and pages; Ctrl-C stops them
	@$(BIN)/kitchen-watch demo $(ARGS)

# torch and OpenVINO each bring an OpenMP runtime; in one process they end in a crash, so these run apart
TORCH_TESTS := tests/training/test_evaluate.py tests/training/test_export.py tests/training/test_loss.py \
               tests/training/test_quantising.py tests/training/test_training.py tests/edge/detect/test_ultralytics_yolo.py

test: $(VENV)/.installed-dev ## the tests that need nothing but this machine
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal -m "not browser and not postgres and not gstreamer and not thorough and not nat and not cluster" \
	  $(addprefix --ignore=,$(TORCH_TESTS)) $(ARGS)

test-train: $(VENV)/.installed-dev ## the tests of training; need the extra [train]
	$(BIN)/python -m pytest $(TORCH_TESTS) $(ARGS)

bench: $(VENV)/.installed-dev ## cameras per core, beside Ultralytics; some 12 minutes on an idle machine
	$(PIP) install --quiet --constraint requirements.lock --editable '.[demo,train]'
	$(BIN)/python -m benchmarks.edge $(ARGS)
	$(BIN)/python docs/scaling.py

bench-backend: $(VENV)/.installed-dev ## the backend with a million alerts, measured; some 15 minutes, 4 GB of disk
	$(PIP) install --quiet --constraint requirements.lock --editable '.[postgres,postgres-server]'
	$(BIN)/python -m benchmarks.backend $(ARGS)

bench-city: $(VENV)/.installed-dev ## a compressed day of 1,000 cameras against the real backend; some 12 minutes
	$(PIP) install --quiet --constraint requirements.lock --editable '.[demo,postgres,postgres-server]'
	$(BIN)/python -m benchmarks.city $(ARGS)
	$(BIN)/python docs/scaling.py

lint: $(VENV)/.installed-dev ## style, types and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: ## resolve requirements.lock anew (needs uv)
	uv pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-annotate --no-header \
	  --all-extras pyproject.toml -o requirements.lock
	@# torch and what it brings differ by machine (CPU, CUDA, macOS): its lower bound is enough
	@grep -vE '^(torch|torchvision|triton|nvidia|cuda)[a-z0-9-]*==' requirements.lock > requirements.lock.new
	@mv requirements.lock.new requirements.lock

clean: ## remove the virtual environment and what the demo wrote
	rm -rf $(VENV) var
