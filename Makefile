# Two commands for a machine that has only Python >= 3.11 and make:
#
#   make demo     opens JupyterLab on the first notebook; no API key needed
#   make test     installs what it needs and runs every check
#
# ARGS passes through:  make demo ARGS="--no-browser --port 8890"
#                       make test ARGS="-k pacing"
# PYTHON and VENV choose another interpreter or folder:  make test PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
# Those that `make test-all` looks for: versions, commands or paths.
PYTHONS ?= 3.11 3.12 3.13 3.14
ARGS ?=

# A PYTHONPATH, another active environment or pip settings for --user must not leak into ours.
# Without bytecode every worker of pytest would compile every test again, in every run.
unexport PYTHONPATH PYTHONHOME PIP_USER VIRTUAL_ENV PYTHONDONTWRITEBYTECODE
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

RUN := $(VENV)/bin/python
PIP := $(RUN) -m pip install --quiet

# A stamp is the file that says "this step is done"; it is newer than what it was made from.
VENV_STAMP := $(VENV)/.made
DEMO_STAMP := $(VENV)/.installed-demo
MARIMO_STAMP := $(VENV)/.installed-marimo
DEV_STAMP := $(VENV)/.installed-dev
COMPILED_STAMP := $(VENV)/.compiled-tests

# The real servers of `make peers` live in an environment of their own: they pin what they need.
PEERS_VENV ?= .venv-peers
PEERS_STAMP := $(PEERS_VENV)/.made

# What a Colab runtime has, for the tests in tests/colab. Its Python is 3.13, where that is here.
COLAB_VENV ?= .venv-colab
COLAB_STAMP := $(COLAB_VENV)/.made
COLAB_PYTHON ?= $(firstword $(shell for python in python3.13 \
  $(wildcard $(HOME)/.pyenv/versions/3.13.*/bin/python3.13) "$(PYTHON)"; \
  do "$$python" -c 'import venv' 2>/dev/null && echo "$$python"; done))

.PHONY: help demo demo-marimo test test-all test-without-browser peers colab lint format chromium \
  pictures clean
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
# Two environments are installed in the time of the longer one.
MAKEFLAGS += -j2

help:
	@echo 'make demo    open JupyterLab on the first notebook (no API key needed)'
	@echo 'make demo-marimo  the same in marimo'
	@echo 'make test    run every check, in a real browser too'
	@echo 'make test-all  run those without a browser on each Python from 3.11 to 3.14 that is here'
	@echo 'make peers   try the real LiteLLM, SGLang and vLLM-Omni (1.1 GB, a few minutes)'
	@echo 'make colab   run all tests without a browser on what a Colab runtime has'
	@echo 'make lint    the quick checks only: ruff, mypy, JavaScript types'
	@echo 'make format  let ruff lay out the code'
	@echo 'make pictures  take the README'"'"'s picture and the notebooks'"'"' outputs anew'
	@echo 'make clean   remove the environment and what tools left behind'

demo: $(DEMO_STAMP)
	$(RUN) -m cometvid_nb demo $(ARGS)

demo-marimo: $(MARIMO_STAMP)
	$(RUN) -m cometvid_nb demo --marimo $(ARGS)

# pytest's closing line is the last thing this prints; the checks of `lint` are among its tests.
# Six at a time, since on two cores most of them wait: for a simulated job, a kernel, a page.
# pytest-xdist would begin with the files of most tests; tests/conftest.py knows a better order.
test: chromium $(COLAB_STAMP) $(COMPILED_STAMP)
	COLAB_VENV="$(COLAB_VENV)" $(RUN) -m pytest -n 6 --dist loadfile --no-loadscope-reorder $(ARGS)

# Each version in an environment of its own. Red if one of those that are here is.
test-all:
	@"$(PYTHON)" tests/every_python.py "$(MAKE)" $(PYTHONS)

test-without-browser: $(DEV_STAMP)
	$(RUN) -m pytest -n 6 --dist loadfile --no-loadscope-reorder --ignore tests/browser $(ARGS)

# Not part of `test`. pytest's closing line is the last thing this prints. One at a time, as each
# server is started once.
peers: $(DEV_STAMP) $(PEERS_STAMP)
	PEERS_VENV="$(PEERS_VENV)" $(RUN) -m pytest tests/peers $(ARGS)

# Not part of `test`, which runs a few of these there. The rest needs tools that Colab has not.
colab: $(COLAB_STAMP)
	$(COLAB_VENV)/bin/python -m pytest -n 6 --override-ini=filterwarnings=default \
	  tests/api tests/cards tests/clips tests/display tests/job tests/ledger tests/magic \
	  tests/session tests/watching --continue-on-collection-errors $(ARGS)

lint: $(DEV_STAMP)
	$(RUN) -m ruff check .
	$(RUN) -m ruff check --preview --select PLW1514 .
	$(RUN) -m ruff format --check .
	$(RUN) -m mypy
	$(RUN) tests/js/check.py

format: $(DEV_STAMP)
	$(RUN) -m ruff check --fix-only .
	$(RUN) -m ruff format .

chromium: $(DEV_STAMP)
	@$(RUN) tests/browser/chromium.py --install

# Takes the README's picture and the notebooks' outputs from the running product.
pictures: chromium
	$(RUN) -m docs.make_picture
	$(RUN) -m docs.make_notebooks

clean:
	rm -rf "$(VENV)" "$(PEERS_VENV)" "$(COLAB_VENV)" .venv-3.* build dist .hypothesis .mypy_cache \
	  .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV_STAMP):
	@command -v "$(PYTHON)" >/dev/null || { \
	  echo 'No "$(PYTHON)" here. Install Python 3.11 or newer, or name one: make PYTHON=python3.12' >&2; \
	  exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$$($(PYTHON) --version) is too old; Python 3.11 or newer is needed." >&2; \
	  echo 'Name a newer one: make PYTHON=python3.12' >&2; \
	  exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo 'This Python cannot make an environment: its venv module is missing.' >&2; \
	  echo 'On Debian and Ubuntu: sudo apt-get install python3-venv' >&2; \
	  exit 1; }
	"$(PYTHON)" -m venv --clear "$(VENV)"
	@touch "$@"

$(DEMO_STAMP): pyproject.toml $(VENV_STAMP)
	@echo 'Installing the demo (about a minute the first time) …'
	@$(PIP) -e '.[demo]'
	@touch "$@"

$(MARIMO_STAMP): pyproject.toml $(VENV_STAMP)
	@echo 'Installing the demo (about a minute the first time) …'
	@$(PIP) -e '.[marimo]'
	@touch "$@"

$(DEV_STAMP): pyproject.toml $(VENV_STAMP)
	@echo 'Installing the tools for the tests (about a minute the first time) …'
	@$(PIP) -e '.[dev]'
	@touch "$@" "$(DEMO_STAMP)" "$(MARIMO_STAMP)"

# Once, and not by each worker of pytest at the same time.
$(COMPILED_STAMP): $(DEV_STAMP)
	@$(RUN) -m pytest --collect-only -qq >/dev/null
	@touch "$@"

$(COLAB_STAMP): tests/colab/requirements.txt pyproject.toml
	@echo 'Installing what a Colab runtime has (half a minute the first time) …'
	"$(COLAB_PYTHON)" -m venv --clear "$(COLAB_VENV)"
	@"$(COLAB_VENV)/bin/python" -m pip install --quiet --no-deps \
	  --requirement tests/colab/requirements.txt --editable .
	@touch "$@"

# Without torch and CUDA: tests/peers/unpack.py takes only what is Python out of the big wheels.
$(PEERS_STAMP): tests/peers/requirements.txt tests/peers/wheels.txt tests/peers/unpack.py $(VENV_STAMP)
	@echo 'Installing the peers (about two minutes the first time) …'
	"$(PYTHON)" -m venv --clear "$(PEERS_VENV)"
	@"$(PEERS_VENV)/bin/python" -m pip install --quiet --requirement tests/peers/requirements.txt
	@"$(PEERS_VENV)/bin/python" tests/peers/unpack.py tests/peers/wheels.txt
	@touch "$@"
