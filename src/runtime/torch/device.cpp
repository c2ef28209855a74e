// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/device.h"

#include <ATen/ATen.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include <algorithm>

#include "core/error.h"
#include "core/shared_library.h"

namespace yoloq::runtime::torch {

namespace {

/// Registers the kernels for GPUs; once. Float32 is float32 there: LibTorch would give convolutions
/// products of 10-bit mantissas (TF32).
void open_cuda() {
  static const SharedLibrary allocator("LibTorch's CUDA half", {"libc10_cuda.so"});
  static const SharedLibrary kernels("LibTorch's CUDA half", {"libtorch_cuda.so"});
  at::globalContext().setAllowTF32CuDNN(false);
  at::globalContext().setAllowTF32CuBLAS(false);
}

}  // namespace

c10::Device open_device(const std::string& name) {
  if (name == "cpu") return c10::kCPU;
  const std::string number = name == "cuda" ? "0" : name.starts_with("cuda:") ? name.substr(5) : "";
  if (number.empty() || number.size() > 2 ||
      !std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; })) {
    fail(ErrorCode::bad_argument, "no device '{}'; known: cpu, cuda, cuda:N", name);
  }
  open_cuda();
  const c10::Device device(c10::kCUDA, static_cast<c10::DeviceIndex>(std::stoi(number)));
  try {
    at::zeros({1}, at::TensorOptions(device)).item<float>();
  } catch (const c10::Error& error) {
    fail(ErrorCode::unsupported, "the device '{}' cannot be used: {}", name,
         error.what_without_backtrace());
  }
  return device;
}

void* current_stream(c10::Device device) {
  const c10::impl::VirtualGuardImpl guard(device.type());
  return guard.getStreamNativeHandle(guard.getStream(device));
}

}  // namespace yoloq::runtime::torch
