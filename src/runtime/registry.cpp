// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>

#include "core/error.h"
#include "runtime/engine.h"
#include "runtime/engine_file.h"
#include "runtime/replicated.h"
#include "runtime/torch/backend.h"

#ifdef YOLOQ_WITH_OPENVINO
#include "runtime/openvino/backend.h"
#include "runtime/openvino/identity.h"
#endif
#ifdef YOLOQ_WITH_TENSORRT
#include "runtime/tensorrt/backend.h"
#endif

namespace yoloq::runtime {

// Defined in programs that link yoloq::torch_runtime, null in the others: LibTorch takes half a
// second to load, which only training should wait for.
namespace torch {
[[gnu::weak]] std::shared_ptr<Engine> compile(const graph::Graph& graph,
                                              const EngineOptions& options);
[[gnu::weak]] std::shared_ptr<Engine> load(const EngineFile& file, const EngineOptions& options);
[[gnu::weak]] std::string identity();
[[gnu::weak]] std::string identity_of_gpu();
}  // namespace torch

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

/// A row of LibTorch's, where this program has it.
BackendInfo torch_row(std::string_view name, std::string_view summary, bool on_gpu) {
  auto* const compiler = torch::compile;
  if (compiler == nullptr) {
    return {name, "not in this program: it is in yoloq-torch, built with -DYOLOQ_WITH_TORCH=ON"};
  }
  BackendInfo row{name, summary};
  row.available = row.literal = true;
  row.on_gpu = on_gpu;
  row.compile = compiler;
  row.load = torch::load;
  row.identity = on_gpu ? torch::identity_of_gpu : torch::identity;
  return row;
}

std::span<const BackendInfo> rows() {
  static const std::array kRows{
      kOpenVino, kTensorRt,
      torch_row("torch", "LibTorch, float32: a reference that computes Q/DQ nodes literally",
                false),
      torch_row("torch-cuda", "the same on NVIDIA GPUs", true)};
  return kRows;
}

const BackendInfo& available_backend(std::string_view name) {
  const auto row = std::ranges::find(rows(), name, &BackendInfo::name);
  if (row == rows().end()) {
    std::string known;
    for (const BackendInfo& info : rows()) {
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

std::span<const BackendInfo> backends() { return rows(); }

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
