# Two commands do all the set-up on a machine that has only Python (>= 3.11) and make:
#   make demo    trains, judges and renders Table 7 on scikit-learn's digits
#   make test    runs the fast test suite
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.PHONY: demo test bench slow docs lint types arrows check lock clean

demo: $(READY)
	$(BIN)/repro make table7 --profile digits

# As many processes as cores; tests of one file share one, since they share fixtures and daemons.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile

test: $(READY)
	$(PYTEST) -m "not slow and not realdata and not docs"

slow: $(READY)
	$(PYTEST) -m "slow or realdata"

# Writes the reference, checks links, makes pages, and runs the commands that the pages show.
docs: $(READY)
	$(BIN)/python -m tools.build_docs
	$(BIN)/python -m pytest tests/docs

# All benchmarks, or one script of them: make bench ROW=centers
bench: $(READY)
	$(BIN)/python -m benchmarks $(ROW)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy
	$(BIN)/mypy docs/notebook.py

arrows: $(READY)
	$(BIN)/lint-imports

check: lint types arrows test

# The environment is exactly the hash-pinned lock; the harness itself is installed editable on top.
$(READY): requirements.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "uv>=0.8"
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --editable .
	touch $@

lock:
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes \
	    --python-version 3.11 --no-header --quiet --output-file requirements.lock

clean:
	rm -rf $(VENV)
