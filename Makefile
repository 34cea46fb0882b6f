# The course in commands. Each makes what it needs first, .venv included.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PY := .venv/bin/python
ENV := .venv/.complete
PORT ?= 8000
# Grading: one folder a course, and an environment of its own, which students need not have.
COURSE ?= grading
GRADING := .venv-grading/.complete
KIT := env -u MPLBACKEND OPENBLAS_NUM_THREADS=1 .venv-grading/bin/python -W ignore -m instructor.kit --course "$(COURSE)"
need = $(if $($(1)),,$(error Say $(2), as in `make $@ $(3)`))

# One BLAS thread a worker: two on a busy machine are many times slower.
# Kernels choose their own backend, and the order of sets must not matter.
TEST_ENV := env -u MPLBACKEND OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1
NBVAL := --nbval --nbval-current-env --nbval-cell-timeout 120
# A notebook's cells stay together (loadscope); so do the tests of one page of the site (loadgroup).
# Two workers for two cores; three where tests wait for a browser or a server again and again.
PYTEST := $(PY) -m pytest -n 2 --dist

NOTEBOOKS := $(sort $(wildcard chapters/*.ipynb))
NAMES := $(NOTEBOOKS:chapters/%.ipynb=%)
# "01_one_gaussian", with or without folder and suffix; "01" when that says enough.
CHAPTER_NAME = $(basename $(notdir $(CHAPTER)))
CHAPTER_FILE = $(or $(filter chapters/$(CHAPTER_NAME).ipynb,$(NOTEBOOKS)),$(firstword $(filter chapters/$(CHAPTER_NAME)_%,$(NOTEBOOKS))))
check_chapter = $(if $(CHAPTER),,$(error Say which chapter, as in `make $@ CHAPTER=$(firstword $(NAMES))`; there are: $(NAMES)))$(if $(CHAPTER_FILE),,$(error There is no chapter `$(CHAPTER)`; there are: $(NAMES)))
check_port = $(if $(shell [[ "$(PORT)" =~ ^[0-9]+$$ ]] && (( $(PORT) > 0 && $(PORT) < 65536 )) && echo yes),,$(error PORT is a number from 1 to 65535, not `$(PORT)`))

ifdef PYTHON
  ifneq ($(shell "$(PYTHON)" -c 'import sys; print(sys.version_info >= (3, 11))' 2>/dev/null),True)
    $(error PYTHON=$(PYTHON) is not a Python of version 3.11 or newer, which the course needs)
  endif
endif

.PHONY: help book serve slides lab student run view check test browser verify bench measure lock clean assign collect grade questions sandbox

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "  Variables: CHAPTER=01 (run, view), PORT=8000 (serve), PYTHON=python3.12, SKIP_BROWSER=1 (test)"

$(ENV): requirements.txt tools/make_env.sh
	@PYTHON="$(PYTHON)" bash tools/make_env.sh

# An editable install again when the package list or the metadata changed.
.venv/.gmmlib: pyproject.toml $(ENV)
	@$(PY) -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

book: .venv/.gmmlib  ## build the site into _build/html; any warning is an error
	@$(PY) tools/site/build.py

serve: book  ## build the site and show it on http://localhost:8000
	@$(check_port)$(PY) tools/site/serve.py $(PORT)

slides: book  ## the chapters' slides, which the site has too, in _build/html/slides
	@$(PY) tools/site/slides.py decks

lab: .venv/.gmmlib  ## copy the notebooks to my-course, yours to change, and open them in JupyterLab
	@$(PY) tools/student.py lab

student: .venv/.gmmlib  ## make the student's notebooks (student/) from chapters/
	@$(PY) tools/student.py make

run: .venv/.gmmlib  ## execute one chapter and store its outputs: make run CHAPTER=01
	@$(check_chapter)echo "Running $(CHAPTER_FILE) (up to a minute)"
	@$(TEST_ENV) $(PY) tools/chapters.py run $(CHAPTER_FILE)

view: .venv/.gmmlib  ## one chapter as text, without outputs: make view CHAPTER=01
	@$(check_chapter)$(PY) tools/chapters.py view $(CHAPTER_FILE)

check: .venv/.gmmlib  ## style of the code, hygiene of the notebooks, safety of the workflows, in seconds
	$(PY) -m ruff check .
	$(PY) tools/chapters.py check $(NOTEBOOKS)
	$(PY) tools/student.py check
	$(PY) tools/npm.py check
	.venv/bin/zizmor --offline --no-progress --quiet --persona auditor .github

browser: .venv/.gmmlib
	@bash tools/site/browser.sh

$(GRADING): instructor/requirements.txt instructor/make_env.sh $(ENV)
	@bash instructor/make_env.sh

assign: .venv/.gmmlib $(GRADING)  ## for students: make assign CH=09 [SEED=7] [EACH=roster.csv], as instructor/GRADING.md says
	@$(call need,CH,which chapter,CH=09)$(KIT) assign "$(CH)" --seed "$(or $(SEED),0)" $(if $(EACH),--students "$(EACH)")

collect: .venv/.gmmlib $(GRADING)  ## sort what they handed in: make collect CH=09 ZIP=download.zip ROSTER=roster.csv
	@$(call need,CH,which chapter,CH=09 ZIP=download.zip ROSTER=roster.csv)$(call need,ZIP,where the zip is,CH=09 ZIP=download.zip ROSTER=roster.csv)$(call need,ROSTER,where the roster is,CH=09 ZIP=download.zip ROSTER=roster.csv)$(KIT) collect "$(CH)" --zip "$(ZIP)" --roster "$(ROSTER)"

grade: .venv/.gmmlib $(GRADING)  ## grades.csv and feedback: make grade CH=09
	@$(call need,CH,which chapter,CH=09)$(KIT) grade "$(CH)"

questions: .venv/.gmmlib $(GRADING)  ## the concept questions for Moodle and Canvas, in _build/questions
	@$(PY) tools/questions.py

sandbox:
	@bash instructor/sandbox.sh

test: book browser check sandbox $(GRADING)  ## build the site, then run every test
	@echo "1 of 2: every notebook is run and its outputs compared, as another processor computes them (a minute or two)"
	$(TEST_ENV) PYTHONHASHSEED=1 OPENBLAS_CORETYPE=Haswell $(PYTEST) loadscope $(NBVAL) chapters
	@echo "2 of 2: this processor: the student's copies print the same; the library, the data, every page in a browser (several minutes)"
	$(TEST_ENV) PYTHONHASHSEED=0 $(PYTEST) loadgroup -n 3 --cov --cov-report term-missing:skip-covered tests

verify: test  ## the long sweeps too: rare cases, other processors' arithmetic, changed operators
	for cpu in Nehalem Sandybridge Haswell; do echo "The notebooks and the library as a $$cpu computes them (several minutes)"; \
	  $(TEST_ENV) OPENBLAS_CORETYPE=$$cpu $(PYTEST) loadscope $(NBVAL) chapters tests/gmmlib tests/equations || exit 1; done
	@echo "The long searches for rare cases (many minutes)"
	$(TEST_ENV) HYPOTHESIS_PROFILE=thorough $(PYTEST) loadgroup -m "sweep or not sweep" tests
	@echo "Every operator of the numerical modules changed, one at a time (the longest step)"
	$(TEST_ENV) $(PY) tools/mutation.py

bench: .venv/.gmmlib  ## time gmmlib beside its peers (an hour, on a quiet machine): make bench ARGS=--quick
	$(PY) benchmarks/bench.py $(ARGS)

measure: book browser  ## weigh the pages and let Lighthouse score them, on a quiet machine: make measure ARGS=--lighthouse
	$(PY) tools/site/measure.py --write $(ARGS)

lock:  ## pin the newest versions in requirements.txt and package-lock.json
	@bash tools/lock.sh

clean:  ## remove what was built; .venv stays
	rm -rf _build node_modules .venv-grading .pytest_cache .ruff_cache .hypothesis .coverage htmlcov gmmlib.egg-info
	find chapters gmmlib tests tools -name __pycache__ -prune -exec rm -rf {} +
