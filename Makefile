# SPDX-License-Identifier: Apache-2.0
# The two commands of a newcomer are `make demo` and `make test`; each sets everything up first.
.PHONY: setup build demo test check lint fuzz bench format clean

setup:
	tools/setup.sh

# The sources of a folder as one translation unit: less than half the time from nothing. `make UNITY= build` compiles each alone.
UNITY = -DCMAKE_UNITY_BUILD=ON -DCMAKE_UNITY_BUILD_BATCH_SIZE=0
# YOLOQ_WITHOUT_TORCH=1: no LibTorch, no `yoloq train` and `yoloq qat`.
TORCH = -DYOLOQ_WITH_TORCH=$(if $(YOLOQ_WITHOUT_TORCH),OFF,ON)
build: setup
	cmake --preset release $(UNITY) $(TORCH)
	cmake --build --preset release

demo: build
	tools/demo.sh

# Formatting and layers, then all tests in release, then the unit tests under sanitizers.
test: setup check build
	ctest --preset release -j 2
	cmake --preset dev
	cmake --build --preset dev --target unit_tests
	ctest --preset dev -j 2 -L unit

check: setup
	tools/check_format.sh
	.deps/venv/bin/python tools/check_layers.py
	.deps/venv/bin/codespell --quiet-level 2 --ignore-words tools/codespell.txt README.md CHANGELOG.md CONTRIBUTING.md docs src tests bench tools

lint: setup
	tools/lint.sh

# YOLOQ_FUZZ_SECONDS for each target; 20 minutes unless told.
fuzz: setup
	cmake --preset fuzz
	cmake --build --preset fuzz
	tools/fuzz.sh

format: setup
	tools/check_format.sh --fix

clean:
	rm -rf build runs
