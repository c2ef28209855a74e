#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what yoloq needs to build and to be tested, on Debian 12 or Ubuntu 24.04:
# Debian packages through apt (with sudo when not root) and pinned Python wheels into .deps/.
# Running it again does nothing when all is there.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
  build-essential cmake ninja-build ccache pkg-config git ca-certificates curl unzip
  libfmt-dev libspdlog-dev libtbb-dev libeigen3-dev libopenblas-dev libyaml-cpp-dev nlohmann-json3-dev libsimdjson-dev libcli11-dev
  libzip-dev libxxhash-dev protobuf-compiler libprotobuf-dev libonnx-dev
  libopencv-core-dev libopencv-imgproc-dev libopencv-imgcodecs-dev libjpeg-dev
  gnuplot-nox
  libgtest-dev libgmock-dev libbenchmark-dev clang-14 python3-venv
)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true)
  [ "$status" = "install ok installed" ] || missing+=("$package")
done

if [ ${#missing[@]} -gt 0 ]; then
  install="apt-get install -y --no-install-recommends ${missing[*]}"
  if [ "$(id -u)" = 0 ]; then
    as_root=()
  elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root=(sudo)
  elif command -v sudo >/dev/null && [ -t 0 ]; then
    as_root=(sudo)
  else
    echo "setup: these packages are missing and this user may not install them. Run as root:" >&2
    echo "  apt-get update && $install" >&2
    exit 1
  fi
  echo "setup: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  "${as_root[@]}" apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install -q
fi

# Python holds the OpenVINO SDK (its C++ headers and libraries come inside the wheel), the formatter
# and the tests' oracles. Nothing of it is used by the product at run time but OpenVINO's libraries.
venv=.deps/venv
stamp=.deps/requirements.installed
wanted=$(cat tools/requirements.txt tools/requirements-alone.txt)
if [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ] || [ ! -x "$venv/bin/python" ]; then
  echo "setup: installing Python wheels into $venv"
  [ -x "$venv/bin/python" ] || python3 -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -r tools/requirements.txt
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps \
    -r tools/requirements-alone.txt
  echo "$wanted" >"$stamp"
fi

# LibTorch lies in a folder of its own: the Python of the oracles does not see it.
# YOLOQ_WITHOUT_TORCH=1 leaves it out, and with it `yoloq train` and `yoloq qat`.
libtorch=.deps/libtorch
stamp=.deps/libtorch.installed
wanted=$(cat tools/requirements-torch.txt)
if [ -z "${YOLOQ_WITHOUT_TORCH:-}" ] && [ "$wanted" != "$(cat "$stamp" 2>/dev/null)" ]; then
  echo "setup: installing LibTorch into $libtorch"
  rm -rf "$libtorch"
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-cache-dir --no-deps \
    --target "$libtorch" -r tools/requirements-torch.txt
  # Half of the wheel's two gigabytes is for GPUs that this build cannot use without its other wheels.
  echo "$wanted" >"$stamp"
fi
echo "setup: ready"
