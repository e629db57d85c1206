# Every command of the project. `make demo` and `make test` do all set-up on a fresh machine.
PY := .venv/bin/python -P
KILLS ?= $(if $(CLUSTER),100,200)
POSTS ?= 12000
MODELS ?= build/models
JOBS ?= 2

# Tests, benches and drills start programs by the hundred: each would compile all of its libraries anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo test test-local test-servers test-torch lint bench drill setup models docs clean

help:
	@echo "make demo    the synthetic election through the whole pipeline, then the desk at a printed address;"
	@echo "             CONFIG=cluster: over a real Kafka, Elasticsearch and PostgreSQL that are started for it;"
	@echo "             CONFIG=FILE.toml: over the servers of that configuration"
	@echo "make test    all tests, those on a real Kafka, Elasticsearch and PostgreSQL last (they need Java and Maven, which"
	@echo "             bring the servers; without them it says what it leaves out)"
	@echo "make test-local     only those without servers;  make test-servers: only those on servers"
	@echo "make test-torch     trains and exports a tiny encoder (fetches PyTorch into an environment of its own)"
	@echo "make lint    format, lint, import layers, types"
	@echo "make drill   kill -9 of every loop while the demo runs (KILLS=$(KILLS)); CLUSTER=1: over real servers, which are"
	@echo "             killed too, into bench/DRILL_CLUSTER.md (KILLS=100 POSTS=$(POSTS), the size of each election)"
	@echo "make bench   speed, as ratios, into bench/RESULTS.md; CLUSTER=1: over real servers, into RESULTS_CLUSTER.md"
	@echo "make models  train the models again into $(MODELS), to be compared with the shipped ones (needs the staged data;"
	@echo "             JOBS=$(JOBS) of them at a time)"
	@echo "make docs    write the generated pages again"
	@echo "make setup   only the set-up (demo and test call it)"

setup: .venv/.ready

.venv/.ready: pyproject.toml uv.lock scripts/setup.sh
	@./scripts/setup.sh

demo: setup
ifeq ($(CONFIG),cluster)
	@$(PY) -m tests.servers.demo $(ARGS)
else
	@.venv/bin/hustings demo $(if $(CONFIG),--config $(CONFIG)) $(ARGS)
endif

test: test-local test-servers

test-local: setup
	@$(PY) -m pytest -n 2 --dist worksteal -m "not servers and not torch"

# Trains and exports a tiny encoder in an environment of its own: 2.7 GB to fetch the first time.
test-torch: setup
	@$(PY) -m pytest -m torch

# Tests of one server stay on one worker, so that each starts once.
test-servers: setup
	@$(PY) -m pytest -n 2 --dist loadgroup -m servers

lint: setup
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports --no-cache
	@.venv/bin/mypy

bench: setup
	@$(PY) -m bench.run$(if $(CLUSTER),_cluster)

drill: setup
	@$(PY) -m bench.drill$(if $(CLUSTER),_cluster --write --posts $(POSTS)) --kills $(KILLS)

docs: setup
	@$(PY) -m hustings.values_page > docs/values.md
	@.venv/bin/hustings capacity --page > docs/capacity.md
	@$(PY) -m runtime.config_page > docs/configuration.md
	@page=$$(.venv/bin/hustings model table --page) && printf '%s\n' "$$page" > docs/heads.md

# Never over classifiers/models: what is shipped there is signed and has a version.
models: setup
	@.venv/bin/hustings model train --jobs $(JOBS) --out $(MODELS)
	@.venv/bin/hustings model join encoder-en --network classifiers/models/encoder-en --models $(MODELS)
	@echo "made in $(MODELS): unsigned, each as version 1, the shipped encoder joined with the heads that were made. Next:"
	@echo "  hustings model gates --all --models $(MODELS) --floors classifiers/gates/floors.toml"
	@echo "  hustings model gates --all                               the same of the shipped ones, if they were not judged here"
	@echo "  diff <(hustings model table --page) <(hustings model table --page --models $(MODELS))     (bash)"
	@echo "  hustings model train NAME --model-version N --at DATE --out $(MODELS)       as the version that shall be shipped"
	@echo "  hustings model sign $(MODELS)/NAME --key FILE       then copy the folder over classifiers/models/NAME"

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-run
