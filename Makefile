# Thin: each target is a few commands that work by hand too, with .venv/bin first on the PATH.
# `make demo` and `make test` need Python 3.11 or newer, a C++20 compiler, and the package index.

VENV := .venv
BIN := $(CURDIR)/$(VENV)/bin
export PATH := $(BIN):$(PATH)
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:

# What the installed extension and program are made from; Python files are used where they stand.
SOURCES := pyproject.toml CMakeLists.txt python/slipway/__init__.py $(shell find cpp cmake -type f)

.PHONY: help demo test test-native test-python test-emulated harden harden-asan fuzz coverage bench gpu-check zoo format lint docs clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile | expand -t 16

demo: $(VENV)/installed ## train, export, verify and seal names-gru, then ask it
	train-and-export names-gru --out artifacts --force
	slipway-infer artifacts/names-gru --text Satoshi --text Giulia --text Dubois
	@python -c 'import json; r = json.load(open("artifacts/names-gru/report.json")); \
	  print("demo ok:", r["recipe"], r["score"]["name"], round(r["score"]["value"], 3), "on", r["data"]["kind"], "data;", \
	  "sealed and verified in artifacts/names-gru")'

test: test-native test-python test-emulated ## the whole test suite

test-native: $(VENV)/tested ## the native tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --workflow --preset asan

test-python: $(VENV)/tested ## everything else
	OMP_NUM_THREADS=1 pytest -n 2 -m 'not network'

EMULATED := build/emulation/tests/emulation/libslipway_cuda_emulated.so

test-emulated: $(VENV)/tested ## the CUDA kernels, run on the processor
	cmake --preset emulation && cmake --build build/emulation --target slipway_cuda_emulated
	SLIPWAY_CUDA_PLUGIN=$(CURDIR)/$(EMULATED) OMP_NUM_THREADS=1 pytest -n 2 -k cuda tests/ops tests/python/test_cuda.py

# libFuzzer where clang is, else the driver of the tree, which learns nothing from what the inputs reach.
SECONDS := 60
CLANG := $(firstword $(shell command -v clang++ clang++-19 clang++-18 clang++-17 clang++-16 clang++-15 clang++-14))
FUZZ_PRESET := $(if $(CLANG),fuzz,asan)

fuzz: $(VENV)/tested ## every fuzz target for SECONDS (60) under the sanitizers; findings lie in build/fuzzing
	cmake --preset $(FUZZ_PRESET) $(if $(CLANG),-DCMAKE_CXX_COMPILER=$(CLANG)) && cmake --build build/$(FUZZ_PRESET)
	python tests/fuzz/seeds.py build/seeds
	python tools/fuzz.py build/$(FUZZ_PRESET) --seconds $(SECONDS) --seeds build/seeds

WATCHED := tests/harden/test_lifetimes.py tests/harden/test_threads.py tests/harden/test_array_kinds.py \
  tests/harden/test_references.py tests/harden/test_zero_sizes.py tests/python/test_session.py tests/python/test_session_calls.py

# In the build of test-native, which holds all of it but the binding. With -s, or what a sanitizer says would end with pytest.
harden-asan: $(VENV)/tested ## Python's tests of memory and threads, with an extension under AddressSanitizer
	python -m pip install --quiet 'pybind11>=2.13'
	cmake --preset asan -DSLIPWAY_PYTHON=ON -DCMAKE_PREFIX_PATH="$$(python -m pybind11 --cmakedir)"
	cmake --build build/asan --target _engine
	LD_PRELOAD="$$(c++ -print-file-name=libasan.so) $$(c++ -print-file-name=libstdc++.so)" \
	  ASAN_OPTIONS=detect_leaks=0 UBSAN_OPTIONS=print_stacktrace=1 PYTHONMALLOC=malloc OMP_NUM_THREADS=1 \
	  PYTHONPATH=$(CURDIR)/tools/sanitized SLIPWAY_ENGINE="$$(ls $(CURDIR)/build/asan/cpp/_engine*.so)" pytest -s $(WATCHED)

harden: $(VENV)/tested ## try to break every promise of docs/security.md, 12 minutes after make test
	python tools/harden.py

# Without -n: its workers end without writing what they counted.
COVERED := tests/ops tests/malformed tests/infer tests/consumer/test_c_abi.py tests/harden/test_external_data.py \
  tests/harden/test_memory.py tests/harden/test_readers.py tests/harden/test_zero_sizes.py tests/harden/test_endless.py \
  tests/python/test_session.py tests/python/test_session_calls.py tests/python/test_ops_api.py tests/python/test_precision.py

coverage: $(VENV)/tested ## which lines of the engine tests reach, a quarter of an hour
	python -m pip install --quiet 'pybind11>=2.13'
	cmake --preset coverage -DCMAKE_PREFIX_PATH="$$(python -m pybind11 --cmakedir)"
	cmake --build build/coverage && cmake --build build/coverage --target slipway_cuda_emulated
	find build/coverage -name '*.gcda' -delete
	ctest --test-dir build/coverage --output-on-failure -j 2
	export PYTHONPATH=$(CURDIR)/tools/sanitized SLIPWAY_ENGINE="$$(ls $(CURDIR)/build/coverage/cpp/_engine*.so)" \
	  SLIPWAY_INFER=$(CURDIR)/build/coverage/cpp/infer/slipway-infer OMP_NUM_THREADS=1; \
	pytest -q -m 'not network' $(COVERED); \
	SLIPWAY_CUDA_PLUGIN=$(CURDIR)/build/coverage/tests/emulation/libslipway_cuda_emulated.so \
	  pytest -q -k cuda tests/ops tests/python/test_cuda.py
	python tools/coverage.py build/coverage --json benchmarks/results/coverage.json

bench: $(VENV)/benched ## time every model of zoo/ in every runtime, half an hour; renews docs/benchmarks.md
	python benchmarks/runtimes.py

gpu-check: ## on a machine with a GPU: build, check every CUDA kernel, time all models; no network needed
	python3 -m pip install --quiet --no-build-isolation --no-index --no-deps .
	python3 tools/gpu_check.py

zoo: $(VENV)/installed ## train every recipe (data: SLIPWAY_DATA, else what is published), then renew docs/notes.md
	train-and-export --list --json - | python -c 'import json, sys; print(*(r["name"] for r in json.load(sys.stdin)))' \
	  | xargs -P 2 -n 1 env OMP_NUM_THREADS=1 train-and-export --out zoo --force || true
	python benchmarks/zoo.py zoo

format: $(VENV)/tested ## format Python and C++
	ruff check --fix . && ruff format .
	git ls-files '*.c' '*.cc' '*.h' | xargs clang-format -i

lint: $(VENV)/tested ## what the house tests ask of form, types and imports
	pytest -n 2 tests/house

docs: $(VENV)/installed ## rewrite the generated parts of the pages in docs/
	python -m slipway.operators docs/operators.md
	python benchmarks/zoo.py
	python benchmarks/runtimes.py --page
	python tools/gpu_check.py --page

clean: ## remove builds, not .venv and not artifacts
	rm -rf build dist

# ---- the environment ----

$(VENV)/bin/python:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "$$python -m venv $(VENV)"; exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo 'No Python 3.11 or newer was found; name one: make PYTHON=/path/to/python3' >&2; exit 1

# A stamp per set of dependencies. One `pip install` is editable, so that a change of a Python file needs no other.
$(VENV)/installed: $(VENV)/bin/python $(SOURCES)
	python -m pip install --quiet --editable .
	@touch $@

$(VENV)/benched: $(VENV)/bin/python $(SOURCES)
	python -m pip install --quiet --editable '.[bench]'
	@touch $@ $(VENV)/installed

$(VENV)/tested: $(VENV)/bin/python $(SOURCES)
	python -m pip install --quiet --editable '.[test]'
	@touch $@ $(VENV)/installed
