# make demo, make test, make docs: each prepares what it needs in .venv (once; again when a requirements file changes).
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# The first that runs: a pyenv shim may be on PATH without the Python behind it.
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3.10 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)
# The Python of the environment, once there is one.
PY := $(shell $(firstword $(wildcard $(BIN)/python) $(PYTHON) false) -c 'import sys; print("%d%d" % sys.version_info[:2])')
# Exact versions of everything that was tested together. `make test TESTED=` takes the newest of each range instead.
TESTED ?= $(wildcard requirements/tested/py$(PY).txt)
PIP := $(BIN)/python -m pip
# The marks of what is installed have the name of the set, so that another one is installed when it is asked for.
SET := $(or $(basename $(notdir $(TESTED))),newest)
READY := $(VENV)/.ready-$(SET)
TESTS_READY := $(VENV)/.tests-$(SET)
DOCS_READY := $(VENV)/.docs-$(SET)
INSTALL := $(PIP) install $(addprefix --constraint ,$(TESTED))

.PHONY: venv demo test test-slow test-all test-webui test-gpu lint format docs tested clean
.DEFAULT_GOAL := test
.NOTPARALLEL:

venv: $(READY)

$(READY): requirements.txt requirements/runtime.txt setup.py $(TESTED)
	@$(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 14))' || \
	  { echo 'sr4ir_mm needs Python 3.10 to 3.13: make PYTHON=/path/to/python3.11 venv'; exit 1; }
	@echo '==> Preparing $(VENV) with $(PYTHON) and $(or $(TESTED),the newest versions): see docs/install.md for the size'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo '==> 1/3 pip'
	$(PIP) install --upgrade pip
	@echo '==> 2/3 PyTorch and the OpenMMLab packages'
	$(INSTALL) -r requirements.txt
	@echo '==> 3/3 sr4ir_mm itself, editable'
	$(PIP) install --no-build-isolation --no-deps --editable .
	$(PIP) check
	@rm -f $(VENV)/.$(word 1,$(subst -, ,$(patsubst .%,%,$(notdir $@))))-* && touch $@

# the extras are for those who test, export or build the site
EXTRAS := $(addsuffix .txt,$(addprefix requirements/,tests export webui spandrel transformers geo parquet jobs ray))
$(TESTS_READY): $(READY) $(EXTRAS)
	$(INSTALL) $(addprefix -r ,$(EXTRAS))
	$(PIP) check
	@rm -f $(VENV)/.$(word 1,$(subst -, ,$(patsubst .%,%,$(notdir $@))))-* && touch $@

# with what a tutorial uses
DOCS := $(addsuffix .txt,$(addprefix requirements/,docs export spandrel transformers))
$(DOCS_READY): $(READY) $(DOCS)
	$(INSTALL) $(addprefix -r ,$(DOCS))
	$(PIP) check
	@rm -f $(VENV)/.$(word 1,$(subst -, ,$(patsubst .%,%,$(notdir $@))))-* && touch $@

demo: venv
	$(BIN)/python tools/demo.py

test: $(TESTS_READY)  # two processes: PyTorch has one thread in the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: $(TESTS_READY)
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow || [ $$? -eq 5 ]  # 5: none is marked

test-webui: $(TESTS_READY)
	$(BIN)/python -m pytest -m '' tests/test_tools/test_webui.py tests/test_webui

test-all: $(TESTS_READY)
	$(BIN)/python -m pytest -m ''

test-gpu: $(TESTS_READY)  # on a machine with a GPU of NVIDIA; elsewhere these tests run on the CPU as far as they can
	$(BIN)/python -c 'import sys, torch; sys.exit(not torch.cuda.is_available() and "PyTorch finds no GPU here.")'
	$(BIN)/python -m pytest -m '' tests/test_models/test_sr4ir_on_gpu.py

lint: $(TESTS_READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: $(TESTS_READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(DOCS_READY)  # runs the tutorials too; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build/html
	@echo 'The site: docs/_build/html/index.html'

tested: $(TESTS_READY) $(DOCS_READY)  # write down what is installed, once all tests have passed
	$(PIP) freeze --all --exclude pip --exclude sr4ir_mm > $(or $(TESTED),requirements/tested/py$(PY).txt)

clean:
	rm -rf $(VENV) docs/_build build dist *.egg-info sr4ir_mm/.mim .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
