# make results: the main job · make test: everything CI runs · make check: the release reproduces · make bench: speed · make recovery: known truths
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
CORES ?= all

.PHONY: results test check bench recovery trace dictionary layout lock clean

results: $(STAMP)
	$(BIN)/snakemake --cores $(CORES) --scheduler greedy --prioritize check_review

test: $(STAMP)
	$(BIN)/ruff check scripts tests
	$(BIN)/ruff format --check scripts tests
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/pytest -n 2 --dist loadfile tests

# The release reproduces, its rate book recalculates (where LibreOffice is installed), and a thousand damaged inputs end as they should: about half an hour.
check: $(STAMP)
	$(BIN)/python tests/check_release.py
	$(BIN)/python tests/check_workbook.py
	RATEBOOK_DAMAGED=1000 $(BIN)/pytest -q -n 2 tests/properties/test_damaged_inputs.py

bench: $(STAMP)
	$(BIN)/python tests/bench.py

# Thousands of programs of which the truth is known: bias, coverage and false alarms of length of engagement, cost and rates.
recovery: $(STAMP)
	$(BIN)/python tests/recovery/study.py; engagement=$$?; \
	$(BIN)/python tests/recovery/cost_study.py; cost=$$?; \
	$(BIN)/python tests/recovery/rates_study.py && exit $$((engagement + cost))

# make trace CELL="expansion | 21-44" [CATEGORY=residential]: the way from a released rate back to dollars and lines.
trace: $(STAMP)
	PYTHONPATH=scripts $(BIN)/python -m ratebook.rates.trace "$(CELL)" $(CATEGORY)

dictionary: $(STAMP)
	PYTHONPATH=scripts $(BIN)/python -m ratebook.dictionary > docs/data_dictionary.md
	PYTHONPATH=scripts $(BIN)/python -m ratebook.programs.reference > docs/program_reference.md

# make layout SOURCE=/secure/extract NAME=ourstate: drafts workflow/layouts/ourstate.yaml for files nobody has described.
layout: $(STAMP)
	PYTHONPATH=scripts $(BIN)/python -m ratebook.intake.draft "$(SOURCE)" "$(NAME)"

# Needs uv: writes the full lock, for every system and Python the project runs on.
lock: requirements.in
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-header -q requirements.in -o requirements.txt

$(STAMP): requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ratebook needs Python 3.11 or newer: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	touch $(STAMP)

clean:
	find results -mindepth 1 -maxdepth 1 ! -name release -exec rm -rf {} +
	rm -rf logs benchmarks .snakemake
