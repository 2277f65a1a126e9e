# The first target that needs it builds .venv with a Python of 3.11 or newer.
# Written for GNU make 3.81 and a POSIX shell, and for machines with nothing else on them.

PYTHONS = python3.14 python3.13 python3.12 python3.11 python3 python
VENV = .venv
BIN = $(VENV)/bin
STAMPS = $(VENV)/.handrail
PEERS = .venv-peers
PIP = $(BIN)/python -m pip --disable-pip-version-check --no-input
# Runs $(1), which may take a while, with its output kept for the case that it fails. It must
# not read standard input, which belongs to the demo.
QUIETLY = { $(1); } </dev/null >$(STAMPS)/log 2>&1 || { cat $(STAMPS)/log >&2; exit 1; }

.PHONY: help demo test fuzz crash lint types bench bench-peers docs docs-serve screenshots clean venv

help:
	@echo 'make demo    talk to the signup bot, in the terminal or through a pipe'
	@echo 'make test    run the tests'
	@echo 'make fuzz    compare the engine with the reference model, and look for input that breaks'
	@echo '             what reads it, for about twenty minutes'
	@echo 'make crash   kill, freeze and cut off real bots under load, for about twenty minutes'
	@echo 'make lint    check style and format'
	@echo 'make types   check types with mypy and pyright'
	@echo 'make bench   measure turns a second'
	@echo 'make bench-peers  measure the same wizard in other libraries, which it installs apart'
	@echo 'make docs    build the documentation site into site/; a warning fails it'
	@echo 'make docs-serve  show it at http://127.0.0.1:8000, and anew after each change'
	@echo 'make screenshots  make the pictures of the documents anew, with Chromium and npm'
	@echo 'make clean   remove .venv and everything else that was built'

demo: $(STAMPS)/runtime
	@$(BIN)/python -m engine.cli demo

# The tests start hundreds of processes: what these import is compiled once, whatever was exported.
test: export PYTHONDONTWRITEBYTECODE =
test: $(STAMPS)/test
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# FUZZ='--minutes 10 --only webhook' looks longer, and there alone.
fuzz: $(STAMPS)/test $(STAMPS)/fuzz
	@HANDRAIL_FUZZ=30 $(BIN)/python -m pytest tests/reference tests/fuzz
	@$(BIN)/python -m tests.fuzz $(FUZZ)

# CRASH='--only sqlite --seed 7' plays that scenario alone; --help tells the rest.
crash: $(STAMPS)/test
	@$(BIN)/python -m tests.crash $(CRASH)

lint: $(STAMPS)/lint
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m ruff format --check .

types: $(STAMPS)/lint $(STAMPS)/test
	@$(BIN)/python -m mypy
	@PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(BIN)/python -m pyright --pythonpath $(BIN)/python

bench: $(STAMPS)/test
	@$(BIN)/python -m tests.bench

bench-peers: $(PEERS)/.handrail
	@$(PEERS)/bin/python -m tests.bench.peers

# At each build the theme announces its end of life, on 5 May 2027. The variable switches off that
# notice and nothing else; its successor, Zensical, reads mkdocs.yml as well.
docs docs-serve: export NO_MKDOCS_2_WARNING = 1

# Not --quiet: MkDocs counts only the warnings that it prints.
docs: $(STAMPS)/docs
	@$(BIN)/python -m mkdocs build --strict
	@echo 'The site is in site/.'

# SERVE='--dev-addr 127.0.0.1:8001' takes another port.
docs-serve: $(STAMPS)/docs
	@$(BIN)/python -m mkdocs serve $(SERVE)

# PICTURES='console' makes those alone.
screenshots: $(STAMPS)/screenshots
	@$(BIN)/python -m tests.screenshots $(PICTURES)

clean:
	@rm -rf $(VENV) $(PEERS) .fuzz site build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis *.egg-info
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
	  echo 'Handrail needs Python 3.11, 3.12, 3.13 or 3.14, with its venv module, and none was found.' >&2; \
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
	@$(call QUIETLY,$(PIP) install --group test --group judges --group browser) && touch $@

$(STAMPS)/fuzz: $(STAMPS)/runtime
	@echo 'Installing what fuzzing needs.' >&2
	@$(call QUIETLY,$(PIP) install --group fuzz) && touch $@

$(STAMPS)/docs: $(STAMPS)/test
	@echo 'Installing what the documentation site needs.' >&2
	@$(call QUIETLY,$(PIP) install --group docs) && touch $@

$(STAMPS)/screenshots: $(STAMPS)/test
	@echo 'Installing what the pictures need.' >&2
	@$(call QUIETLY,$(PIP) install --group screenshots) && touch $@

$(STAMPS)/lint: $(STAMPS)/runtime
	@echo 'Installing what the checks need.' >&2
	@$(call QUIETLY,$(PIP) install --group lint) && touch $@

# Their own environment: what others need must not decide what is tested with ours.
$(PEERS)/.handrail: $(STAMPS)/python pyproject.toml
	@echo 'Installing the libraries that are measured beside ours.' >&2
	@$(call QUIETLY,$(BIN)/python -m venv $(PEERS) && \
	  $(PEERS)/bin/python -m pip install --upgrade 'pip>=25.1' && \
	  $(PEERS)/bin/python -m pip install --editable . --group peers) && touch $@
