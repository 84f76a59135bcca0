# make demo, make test: both prepare .venv first (once; again when a requirements file or setup.py changes).
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
# The first that runs: a pyenv shim may be on PATH without the Python behind it.
PYTHON ?= $(shell for p in python3.11 python3; do $$p -c '' 2>/dev/null && echo $$p && break; done)

.PHONY: venv demo test test-slow test-all test-webui lint format docs clean
.DEFAULT_GOAL := test

venv: $(VENV)/.ready

$(VENV)/.ready: requirements.txt requirements/runtime.txt requirements/tests.txt requirements/export.txt setup.py
	@{ $(or $(PYTHON),false) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))'; } 2>/dev/null || \
	  { echo 'sr4ir_mm needs Python 3.11 (3.10 and 3.12 may work): make PYTHON=/path/to/python3.11 venv'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || echo 'Note: only Python 3.11 is tested'
	@echo '==> Preparing $(VENV) with $(PYTHON): about 5 GB to download the first time, 4 minutes or more'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo '==> 1/3 pip'
	$(BIN)/python -m pip install --upgrade pip
	@echo '==> 2/3 PyTorch, the OpenMMLab packages and the test tools'
	$(BIN)/python -m pip install -r requirements.txt -r requirements/tests.txt -r requirements/export.txt
	@echo '==> 3/3 sr4ir_mm itself, editable'
	$(BIN)/python -m pip install --no-build-isolation --no-deps --editable .
	-$(BIN)/python -m pip check
	@touch $@

demo: venv
	$(BIN)/python tools/demo.py

test: venv  # two processes: PyTorch has one thread in the tests
	$(BIN)/python -m pytest -n 2 --dist loadfile

test-slow: venv
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow || [ $$? -eq 5 ]  # 5: none is marked

# Gradio wants older Pillow, pandas and MarkupSafe: an environment of its own, which sees the packages of the other one
$(VENV)/webui/.ready: $(VENV)/.ready requirements/webui.txt
	test -x $(VENV)/webui/bin/python || $(BIN)/python -m venv $(VENV)/webui
	realpath $(VENV)/lib/python3*/site-packages > "$$(echo $(VENV)/webui/lib/python3*/site-packages)/base.pth"
	$(VENV)/webui/bin/python -m pip install -r requirements/webui.txt
	@touch $@

test-webui: $(VENV)/webui/.ready
	$(VENV)/webui/bin/python -m pytest -m '' tests/test_tools/test_webui.py

test-all: venv
	$(BIN)/python -m pytest -m ''

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

format: venv
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(VENV)/.docs-ready: $(VENV)/.ready requirements/docs.txt
	$(BIN)/python -m pip install -r requirements/docs.txt
	@touch $@

docs: $(VENV)/.docs-ready  # runs the tutorials too; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going docs docs/_build/html
	@echo 'The site: docs/_build/html/index.html'

clean:
	rm -rf $(VENV) docs/_build build dist *.egg-info sr4ir_mm/.mim .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
