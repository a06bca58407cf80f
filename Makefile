# make run    open the product on its demo world (or on your own workspace once it has a release)
# make test   run the tests; make unit: the quick ones of what was changed (PART=wall, risk, map or office: of a part)
# make setup  make the environment in .venv, nothing else
# make coverage  run all tests that need no browser, but not the long ones, and report which lines they reach
# make matrix    run the tests of units on each promised Python, and with the lowest allowed dependencies
# make mutants   put one fault at a time into a copy of the code, and see that a test catches it
# make check  style, types and import rules; make browser: the tests that drive a real browser
# make messages  write every message of the product into the catalogues of its languages
# make conformance REFERENCE=DIR  the tests of boundaries on the real files in a folder

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?= $(firstword $(foreach p,python3 python3.13 python3.12 python3.11,$(if $(shell $(p) -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))" 2>/dev/null && echo yes),$(p),)))

# Without compiled files each process compiles all code again: seconds for every start of `tact` in a test.
unexport PYTHONDONTWRITEBYTECODE

# The stamps carry a checksum of what was installed, so a pull that changes a lock installs again
# and anything else needs no network.
PRODUCT := $(VENV)/product-$(shell cat requirements.lock pyproject.toml | cksum | cut -d' ' -f1)
DEVELOP := $(VENV)/develop-$(shell cat requirements-dev.lock pyproject.toml | cksum | cut -d' ' -f1)
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
# Installs what a lock file names, and says how far it is. Python compiles each module when it is first used: to compile
# all of them takes half of the time. (The shell reads line by line; the awk of Debian waits until it has many.)
install = { $(PIP) install --no-compile --progress-bar off --require-hashes -r $(1) || echo failed; } | { \
	all=$$(grep -c '^[a-z].*==' $(1)); n=0; bad=0; while IFS= read -r line; do case "$$line" in \
	Collecting*|"Requirement already"*|Ignoring*) n=$$((n + 1)); printf '\r  %d of %d packages are here' $$n $$all ;; \
	Installing*) printf '\n  Unpacking them\n' ;; failed) bad=1 ;; esac; done; [ $$n = 0 ] || echo; exit $$bad; }

.PHONY: run test unit coverage long matrix mutants setup check messages conformance browser lock clean

run: setup
	@echo "Starting the map"
	@$(BIN)/tact serve

# Tests that need no browser, no server of their own and no long runs.
QUICK := --ignore tests/browser -m "not browser and not slow and not long"
UNIT := $(filter-out tests/data/restricted,$(wildcard tests/data/*)) $(addprefix tests/data/restricted/,counting intake vault) \
	tests/geo/layers tests/geo/places tests/geo/test_travel.py tests/risk/laplace tests/test_structure.py

test: $(DEVELOP)
	@$(BIN)/python -m pytest $(QUICK) $(WITH) -n auto --dist worksteal

# Of what was changed, or of a part: make unit PART=wall (or risk, map, office).
unit: $(DEVELOP)
	@tests=$$($(BIN)/python -m scripts.unit_tests $(PART)) && \
	$(BIN)/python -m pytest -q -m "not browser and not slow and not long and not demo" -n auto --dist worksteal $$tests

# LEAST: the smallest share of lines that passes, in per cent.
LEAST ?= 90
# Python 3.12 brought a way to see lines that costs next to nothing.
CORE = $(shell $(BIN)/python -c "import sys; print('sysmon' if sys.version_info >= (3, 12) else 'ctrace')")
coverage: $(DEVELOP)
	@COVERAGE_CORE=$(CORE) $(MAKE) test QUICK='--ignore tests/browser -m "not browser and not long"' WITH='--cov --cov-report=term --cov-fail-under=$(LEAST)'

# What the other targets try once is tried here again and again, and in larger worlds.
long: $(DEVELOP)
	@$(BIN)/python -m pytest -m long -n auto --dist loadfile

matrix: $(DEVELOP)
	@$(BIN)/python scripts/matrix.py --tests $(UNIT)

mutants: $(DEVELOP)
	@$(BIN)/python scripts/mutation_check.py

setup: $(PRODUCT)

check: $(DEVELOP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# The same tests of boundaries on the real files in a folder.
conformance: $(DEVELOP)
	@test -d "$(REFERENCE)" || { echo "Name the folder with the real files: make conformance REFERENCE=DIR"; exit 1; }
	@$(BIN)/python -m pytest -m conformance tests/geo --reference "$(REFERENCE)"

# What is not translated yet stays empty in dashboard/site/locale; the product then shows it in English.
messages: $(PRODUCT)
	@$(BIN)/python -m scripts.messages

browser: $(DEVELOP)
	@$(BIN)/python -m pytest -m "browser and not long" tests/browser -n 2 --dist loadfile

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "TACT Map needs Python 3.11, 3.12 or 3.13. Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }

$(PRODUCT): $(BIN)/python
	@echo "Installing TACT Map into $(VENV) (first time, or after an update; a minute or more)"
	@$(call install,requirements.lock)
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@rm -f $(VENV)/product-* && touch $@

$(DEVELOP): $(PRODUCT)
	@echo "Installing what the tests need"
	@$(call install,requirements-dev.lock)
	@rm -f $(VENV)/develop-* && touch $@

# Rewrites both lock files from pyproject.toml.
LOCK := $(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --fork-strategy fewest --no-strip-extras --no-emit-index-url --no-header --quiet
lock: $(DEVELOP)
	$(LOCK) -o requirements.lock pyproject.toml
	$(LOCK) --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml

clean:
	rm -rf $(VENV) build .coverage .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
