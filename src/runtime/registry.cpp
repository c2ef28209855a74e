// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "runtime/engine.h"
#include "runtime/engine_file.h"
#include "runtime/replicated.h"

#ifdef YOLOQ_WITH_OPENVINO
#include "runtime/openvino/backend.h"
#include "runtime/openvino/identity.h"
#endif
#ifdef YOLOQ_WITH_TENSORRT
#include "runtime/tensorrt/backend.h"
#endif

namespace yoloq::runtime {

namespace {

// The only place where the build's options decide anything.
#ifdef YOLOQ_WITH_OPENVINO
constexpr BackendInfo kOpenVino{"openvino",     "OpenVINO on x86 and Arm CPUs",
                                true,           openvino::compile,
                                openvino::load, openvino::identity};
#else
constexpr BackendInfo kOpenVino{"openvino", "not built in: configure with -DYOLOQ_WITH_OPENVINO=ON",
                                false,      nullptr,
                                nullptr,    nullptr};
#endif

#ifdef YOLOQ_WITH_TENSORRT
constexpr BackendInfo kTensorRt{"tensorrt",     "TensorRT on NVIDIA GPUs", true, tensorrt::compile,
                                tensorrt::load, tensorrt::identity,        true};
#else
constexpr BackendInfo kTensorRt{"tensorrt", "not built in: configure with -DTENSORRT_ROOT=...",
                                false,      nullptr,
                                nullptr,    nullptr,
                                true};
#endif

constexpr std::array kBackends{kOpenVino, kTensorRt};

const BackendInfo& available_backend(std::string_view name) {
  const auto row = std::ranges::find(kBackends, name, &BackendInfo::name);
  if (row == kBackends.end()) {
    std::string known;
    for (const BackendInfo& info : kBackends) {
      known += (known.empty() ? "" : ", ") + std::string(info.name);
    }
    fail(ErrorCode::bad_argument, "no backend '{}'; known: {}", name, known);
  }
  if (!row->available) fail(ErrorCode::unsupported, "backend '{}' is {}", name, row->summary);
  return *row;
}

void refuse_gpu_options(const BackendInfo& backend, const EngineOptions& options) {
  if (backend.on_gpu || options.gpu.is_default()) return;
  fail(ErrorCode::bad_argument,
       "the backend '{}' takes no GPU options (devices, shapes, calibrator, workspace, timing "
       "cache, tactic sources, CUDA graph, letterbox)",
       backend.name);
}

}  // namespace

std::span<const BackendInfo> backends() { return kBackends; }

std::string identity(std::string_view name) {
  const BackendInfo& backend = available_backend(name);
  if (backend.identity != nullptr) return backend.identity();
  fail(ErrorCode::unsupported, "the backend '{}' does not tell its identity", name);
}

std::shared_ptr<Engine> compile(const graph::Graph& graph, const EngineOptions& options) {
  const BackendInfo& backend = available_backend(options.backend);
  refuse_gpu_options(backend, options);
  return replicated(backend.compile(graph, options), options.gpu.replicas);
}

std::shared_ptr<Engine> load(const std::filesystem::path& path, const EngineOptions& options) {
  const EngineFile file = read_engine_file(path);
  try {
    const BackendInfo& backend = available_backend(file.backend);
    refuse_gpu_options(backend, options);
    return replicated(backend.load(file, options), options.gpu.replicas);
  } catch (const Error& error) {
    throw error.within("while loading '" + path.string() + "'");
  }
}

}  // namespace yoloq::runtime
