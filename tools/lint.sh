#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# clang-tidy over every source of src/ with the compile commands of the release build.
# Arguments: files to look at instead.
set -euo pipefail
cd "$(dirname "$0")/.."
tidy=$(command -v clang-tidy-14)
if [ $# -gt 0 ]; then
  sources=("$@")
else
  mapfile -t sources < <(git ls-files 'src/*.cpp')
fi
printf '%s\n' "${sources[@]}" |
  xargs -P "$(nproc)" -n 4 "$tidy" -p build/release --quiet --warnings-as-errors='*'
echo "lint: ${#sources[@]} files clean"
