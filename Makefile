# The first target that needs it builds .venv with a Python of 3.11 or newer.
# Written for GNU make 3.81 and a POSIX shell, and for machines with nothing else on them.

PYTHONS = python3.13 python3.12 python3.11 python3 python
VENV = .venv
BIN = $(VENV)/bin
STAMPS = $(VENV)/.handrail
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input
# Runs $(1), which may take a while, with its output kept for the case that it fails. It must
# not read standard input, which belongs to the demo.
QUIETLY = { $(1); } </dev/null >$(STAMPS)/log 2>&1 || { cat $(STAMPS)/log >&2; exit 1; }

.PHONY: help demo test fuzz lint types bench clean venv

help:
	@echo 'make demo    talk to the signup bot, in the terminal or through a pipe'
	@echo 'make test    run the tests'
	@echo 'make fuzz    compare the engine with the reference model for about ten minutes'
	@echo 'make lint    check style and format'
	@echo 'make types   check types with mypy and pyright'
	@echo 'make bench   measure turns a second'
	@echo 'make clean   remove .venv and everything else that was built'

demo: $(STAMPS)/runtime
	@$(BIN)/python -m engine.cli demo

test: $(STAMPS)/test
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

fuzz: $(STAMPS)/test
	@HANDRAIL_FUZZ=30 $(BIN)/python -m pytest tests/reference

lint: $(STAMPS)/lint
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

types: $(STAMPS)/lint $(STAMPS)/test
	@$(BIN)/python -m mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/python -m pyright --pythonpath $(BIN)/python

bench: $(STAMPS)/test
	@$(BIN)/python -m tests.bench

clean:
	@rm -rf $(VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv: $(STAMPS)/runtime

# A name on PATH may be a pyenv shim that only prints an error, and Debian's Python may lack
# ensurepip: so each candidate has to prove itself.
# An environment that was there before and works is kept.
$(STAMPS)/python:
	@if $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' \
	    </dev/null >/dev/null 2>&1; then \
	  mkdir -p $(STAMPS) && { $(call QUIETLY,$(PIP) install --upgrade 'pip>=25.1'); } && \
	  touch $@; exit; \
	fi; \
	found=''; \
	for python in $(PYTHONS); do \
	  if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
	      </dev/null >/dev/null 2>&1; then found="$$python"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo 'Handrail needs Python 3.11, 3.12 or 3.13, with its venv module, and none was found.' >&2; \
	  echo 'Install one from https://www.python.org/downloads/ or with your package manager' >&2; \
	  echo '(on Debian and Ubuntu: apt install python3 python3-venv), or name one that is not' >&2; \
	  echo 'on the PATH: make PYTHONS=/path/to/python3.12' >&2; \
	  exit 1; \
	fi; \
	echo "Preparing $(VENV) with $$("$$found" --version 2>&1 </dev/null); this takes a minute, once." >&2; \
	rm -rf $(VENV) && mkdir -p $(STAMPS) && \
	$(call QUIETLY,"$$found" -m venv $(VENV) && $(PIP) install --upgrade 'pip>=25.1') && \
	touch $@

$(STAMPS)/runtime: $(STAMPS)/python pyproject.toml
	@$(call QUIETLY,$(PIP) install --editable .) && touch $@

$(STAMPS)/test: $(STAMPS)/runtime
	@echo 'Installing what the tests need.' >&2
	@$(call QUIETLY,$(PIP) install --group test --group judges) && touch $@

$(STAMPS)/lint: $(STAMPS)/runtime
	@echo 'Installing what the checks need.' >&2
	@$(call QUIETLY,$(PIP) install --group lint) && touch $@
