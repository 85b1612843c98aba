# Each target sets up and builds what it needs; `make help` lists them.
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
PYTHON_ENVIRONMENT := build/venv/bin/python

# A second checkout finds in the compiler cache what the first one built, precompiled headers too.
export CCACHE_BASEDIR ?= $(CURDIR)
export CCACHE_NOHASHDIR ?= 1
export CCACHE_SLOPPINESS ?= pch_defines,time_macros

.PHONY: help setup build test demo bench bench-meta bench-train bench-quality bench-ablation bench-calibration bench-episodes bench-blocks bench-distributed tune-quality bench-data \
        bench-assign bench-screen bench-explore bench-incremental bench-popularity bench-compress bench-sparse bench-score bench-adapt bench-serve bench-store bench-stream bench-plan format lint asan tsan fuzz clean distclean

help: ## lists the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-17s %s\n", $$1, $$2}' Makefile

setup: ## installs what is missing: Debian packages, build/venv
	@scripts/setup

build: build-release ## builds the programs into build/release/apps

# A configuration that ended half-way leaves no build.ninja.
build-%: setup
	@[ -f build/$*/build.ninja ] || cmake --preset $*
	@cmake --build --preset $* --parallel

test: build-release ## builds, runs every test
	@scripts/run-tests build/release

demo: build-release ## MovieLens-100K: LiMAML beside its rivals, one table, comparison.html
	@scripts/demo

bench: bench-meta bench-train bench-distributed bench-quality bench-episodes bench-blocks bench-ablation bench-calibration bench-compress \
       bench-sparse bench-data bench-assign bench-screen bench-explore bench-incremental bench-popularity bench-score \
       bench-adapt bench-serve bench-store bench-stream bench-plan ## every benchmark: many hours

bench-meta: build-release ## adapting members: tasks a second
	@$(PYTHON_ENVIRONMENT) bench/meta.py $(ARGS)

bench-train: build-release ## training: examples a second
	@$(PYTHON_ENVIRONMENT) bench/train.py $(ARGS)

bench-distributed: build-release ## training on two processes beside one
	@$(PYTHON_ENVIRONMENT) bench/distributed.py $(ARGS)

bench-quality: build-release ## ranking quality beside rivals on the same rows
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/quality.py $(ARGS)

bench-ablation: build-release ## what each component of the network is worth, on MovieLens-1M and a synthetic ads log
	@$(PYTHON_ENVIRONMENT) bench/ablation.py $(ARGS)

bench-compress: build-release ## what compressing saves and costs: tables, vocabularies, dense layers, a network of convolutions
	@scripts/get-digits
	@$(PYTHON_ENVIRONMENT) bench/compress.py $(ARGS)

bench-sparse: build-release ## products that leave out zeros beside dense ones, by density
	@build/release/bench/bench_sparse $(ARGS)

bench-calibration: build-release ## calibrating after training beside the calibration layer, on a synthetic ads log
	@$(PYTHON_ENVIRONMENT) bench/calibration.py $(ARGS)

bench-episodes: build-release ## LiMAML under other numbers of support and query rows
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/quality/episodes.py

bench-blocks: build-release ## whether personalisation still adds to the best global block
	@$(PYTHON_ENVIRONMENT) bench/quality/blocks.py

tune-quality: build-release ## chooses bench-quality's settings on validation rows
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/quality/tune.py

bench-data: build-release ## reading logs: rows a second
	@$(PYTHON_ENVIRONMENT) bench/data.py $(ARGS)

bench-score: build-release ## scoring candidates: beside ONNX Runtime and LibTorch
	@$(PYTHON_ENVIRONMENT) bench/score.py $(ARGS)

bench-adapt: build-release ## adapting members in the runtime: beside LibTorch and PyTorch
	@$(PYTHON_ENVIRONMENT) bench/adapt.py $(ARGS)

bench-serve: build-release ## the server under load, by wrk
	@$(PYTHON_ENVIRONMENT) bench/serve.py $(ARGS)

bench-assign: build-release ## fair assignment: optimum, fronts, a large network
	@$(PYTHON_ENVIRONMENT) bench/assign.py $(ARGS)

bench-screen: build-release ## screening beside rivals: error, risk, speed
	@$(PYTHON_ENVIRONMENT) bench/screen.py $(ARGS)

bench-explore: build-release ## exploring: regret by simulation, replay of MovieLens-100K
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/explore.py $(ARGS)

bench-popularity: build-release ## popularity fitted on recent rows beside the model alone
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/popularity.py $(ARGS)

bench-incremental: build-release ## incremental training beside retraining: replay of MovieLens-100K
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/incremental.py $(ARGS)

bench-stream: build-release ## events a second from a stream, beside HTTP
	@scripts/get-movielens-100k
	@$(PYTHON_ENVIRONMENT) bench/stream.py $(ARGS)

bench-plan: build-release ## what limber plan predicts, beside a real run of a million members
	@$(PYTHON_ENVIRONMENT) bench/plan.py $(ARGS)

bench-store: build-release ## member stores: appends and reads a second, bytes a member
	@build/release/bench/bench_store $(ARGS)

format: setup ## formats the C++ sources in place
	@scripts/sources | xargs clang-format -i

lint: setup ## clang-format and clang-tidy on what differs from git's HEAD; ALL=1 for all
	@scripts/lint $(ALL)

asan: build-asan ## every test under the address and undefined-behaviour sanitizers
	@scripts/run-tests build/asan

# OpenMP's barriers are invisible to the sanitizer; with one thread there are none.
tsan: build-tsan ## every test under the thread sanitizer
	@OMP_NUM_THREADS=1 scripts/run-tests build/tsan

fuzz: build-fuzz ## searches for inputs that break a parser, SECONDS (60) for each; TARGETS="json_body ..."
	@fuzz/run build/fuzz $(or $(SECONDS),60) $(TARGETS)

clean: ## removes what was built; build/venv and build/data stay
	@rm -rf build/release build/debug build/asan build/tsan build/fuzz build/lint build/demo

distclean: ## removes all of build
	@rm -rf build
