#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails if clang-tidy finds anything in a source of src/ that the release build compiles.
# Arguments: files to look at instead. YOLOQ_LINT_BUILD: another build folder, one with TensorRT say.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${YOLOQ_LINT_BUILD:-build/release}

if [ $# -gt 0 ]; then
  sources=("$@")
else
  mapfile -t tracked < <(git ls-files 'src/*.cpp')
  sources=()
  for file in "${tracked[@]}"; do
    if grep -qF "\"$PWD/$file\"" "$build/compile_commands.json"; then
      sources+=("$file")
    else
      echo "lint: $file is not part of $build"
    fi
  done
fi
[ ${#sources[@]} -gt 0 ] || { echo "lint: no sources in $build/compile_commands.json" >&2; exit 1; }

printf '%s\n' "${sources[@]}" |
  xargs -P "$(nproc)" -n 4 .deps/venv/bin/clang-tidy -p "$build" --quiet --warnings-as-errors='*'
echo "lint: ${#sources[@]} files clean"
