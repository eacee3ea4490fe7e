# First-Order Methods for Machine Learning: everything starts with `make book` or `make test`.
.DEFAULT_GOAL := help
BIN := .venv/bin
READY := .venv/.installed
PORT ?= 8000
SAMPLE ?= 40
HOST ?= localhost

# One environment for writing and for checking notebooks.
include tools/notebook.env
export

.PHONY: help book test test-slow mutants notebooks notebooks-full peers bench ledger pdf slides course audit reproducible lint serve clean lock

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-15s %s\n", $$1, $$2 }' Makefile

book: $(READY) ## Build the book, strictly, into _build/html (PYODIDE=self: with the Python that runs its cells)
	@$(BIN)/python -m tools.build_book

test: book ## Build the book, then run every test, notebook, lint and type check
	@$(BIN)/python -m tools.browser
	@$(BIN)/python -m tools.pyodide
	$(BIN)/python -m pytest -n 2 --dist loadscope --cov --nbval --nbval-current-env --nbval-cell-timeout=600

test-slow: $(READY) ## Train with several processes and break them, plant faults and see them caught (six minutes)
	$(BIN)/python -m pytest -m minutes tests/faults

mutants: $(READY) ## Change the library, a place at a time, and see that its tests notice (an hour; SAMPLE=all MODULES=rules,prox)
	@sh tools/install_extra.sh mutants
	$(BIN)/python -m pytest -m minutes tests/faults/test_planted_faults.py
	@$(BIN)/python -m tools.mutants --sample $(SAMPLE) --modules "$(MODULES)"

notebooks: $(READY) ## Execute the chapters that changed and store their outputs
	@$(BIN)/python -m tools.run_notebooks

notebooks-full: $(READY) ## Execute the applications with all that they store made anew (an hour; needs FO_FASHION_MNIST)
	@FO_FULL=1 $(BIN)/python -m tools.run_notebooks --all book/applications/*.md

peers: $(READY) ## Install the libraries that ours is compared with, in the versions of the lock where it has them
	@sh tools/install_extra.sh peers

bench: peers ## Measure against the other libraries and store what the page of benchmarks shows (20 minutes)
	$(BIN)/python -m benchmarks

ledger: $(READY) ## Find the published figures anew and store them with the date, for the page of reproduced results
	@$(BIN)/python -m tests.published

pdf: $(READY) ## Print the whole book into one PDF with outline and links (some minutes)
	@$(BIN)/python -m tools.make_pdf

slides: book ## Make slides of a chapter: make slides CHAPTER=book/acceleration/momentum.md (default: of every chapter)
	@$(BIN)/python -m tools.make_slides $(CHAPTER)

course: $(READY) ## Make notebooks without solutions for students, and with them for teachers
	@$(BIN)/python -m tools.make_course

audit: $(READY) ## Look at licences and known vulnerabilities of what is installed, and write a bill of materials (asks PyPI)
	@$(BIN)/python -m tools.audit

reproducible: $(READY) ## Execute every chapter in three settings, and compare two builds of the site (an hour and a half)
	@$(BIN)/python -m tools.reproducible

lint: $(READY) ## Check style (ruff) and types (mypy)
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m mypy

serve: ## Open the built book at http://localhost:8000 (make serve PORT=... HOST=0.0.0.0)
	@echo "The book is at http://$(HOST):$(PORT)/ (Ctrl+C stops)"
	@$(BIN)/python -m http.server $(PORT) --bind $(HOST) --directory _build/html

clean: ## Remove everything that was built
	rm -rf _build .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

lock: ## Compile requirements.in into the hashed requirements.txt, and the audit's tools into theirs (needs uv)
	for name in requirements tools/audit; do uv pip compile --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate --no-strip-extras $$name.in -o $$name.txt; done

$(READY): requirements.txt pyproject.toml tools/install.sh
	@sh tools/install.sh
