#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fails if a C++ file is not as .clang-format wants it, or a source lacks its SPDX line; --fix formats.
set -euo pipefail
cd "$(dirname "$0")/.."
formatter=.deps/venv/bin/clang-format

mapfile -t sources < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.h')
if [ "${1:-}" = "--fix" ]; then
  "$formatter" -i "${sources[@]}"
else
  "$formatter" --dry-run --Werror "${sources[@]}"
fi

status=0
while IFS= read -r file; do
  [ -s "$file" ] || continue
  if ! head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0'; then
    echo "$file: no SPDX line among the first three" >&2
    status=1
  fi
done < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.h' '*.py' '*.sh' '*.cmake' '*CMakeLists.txt' Makefile)
exit $status
