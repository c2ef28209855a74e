#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for YOLOQ_FUZZ_SECONDS (20 minutes unless told), two at a time. A finding
# is written to build/fuzz/findings/ and makes the script fail.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${YOLOQ_FUZZ_SECONDS:-1200}
mkdir -p build/fuzz/corpus build/fuzz/findings
run() {
  reader=$1
  mkdir -p "build/fuzz/corpus/$reader"
  "build/fuzz/fuzz/fuzz_$reader" -max_total_time="$2" -timeout=30 -rss_limit_mb=3000 -max_len=65536 \
    -print_final_stats=1 -artifact_prefix="build/fuzz/findings/$reader-" \
    "build/fuzz/corpus/$reader" "fuzz/seeds/$reader" > "build/fuzz/$reader.log" 2>&1 ||
    { echo "fuzz $reader: FINDING"; tail -n 30 "build/fuzz/$reader.log"; exit 255; }
  echo "fuzz $reader: $(grep -oE 'number_of_executed_units: [0-9]+' "build/fuzz/$reader.log" || true), no finding"
}
export -f run
ls fuzz/*.cpp | xargs -n 1 basename | sed 's/\.cpp$//' | xargs -P 2 -I {} bash -c "run {} $seconds"
