#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails if clang-tidy finds anything in the sources of src/. A module is looked at as one translation
# unit, so that what all its files include is read once: an eighth of the time.
# Arguments: files to look at one by one instead. YOLOQ_LINT_BUILD: the folder with their
# compile_commands.json, of a build with TensorRT say; else one is configured.
set -euo pipefail
cd "$(dirname "$0")/.."
tidy=(.deps/venv/bin/clang-tidy --quiet --warnings-as-errors='*')

if [ $# -gt 0 ]; then
  [ -n "${YOLOQ_LINT_BUILD:-}" ] || cmake --preset release -B build/each -DCMAKE_UNITY_BUILD=OFF > /dev/null
  printf '%s\n' "$@" | xargs -P "$(nproc)" -n 1 "${tidy[@]}" -p "${YOLOQ_LINT_BUILD:-build/each}"
  echo "lint: $# files clean"
  exit
fi

cmake --preset lint > /dev/null
mapfile -t units < <(sed -n 's/^  "file": "\(.*\)",\?$/\1/p' build/lint/compile_commands.json)
[ ${#units[@]} -gt 0 ] || { echo "lint: no sources in build/lint/compile_commands.json" >&2; exit 1; }

# Every source is in a unit or is one, but those that are built only with TensorRT.
while IFS= read -r file; do
  grep -qsF "$PWD/$file\"" build/lint/compile_commands.json build/lint/src/*/CMakeFiles/*/Unity/*.cxx \
    build/lint/src/*/*/CMakeFiles/*/Unity/*.cxx ||
    echo "lint: $file is not part of build/lint"
done < <(git ls-files 'src/*.cpp')

printf '%s\n' "${units[@]}" |
  xargs -P "$(nproc)" -n 1 "${tidy[@]}" -p build/lint --header-filter='src/.*\.(h|cpp)$' \
    --checks=-bugprone-suspicious-include
echo "lint: ${#units[@]} translation units clean"
