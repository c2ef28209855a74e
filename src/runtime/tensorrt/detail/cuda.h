// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

/// @file
/// Owners of what CUDA hands out, and its errors as yoloq's.

namespace yoloq::runtime::tensorrt {

/// @throws Error(backend) naming what was tried, with CUDA's words.
void check(cudaError_t status, std::string_view what);

/// What is known of one GPU.
struct Device {
  int index = 0;
  std::string name;        ///< "NVIDIA H100 80GB HBM3".
  int compute_capability;  ///< 90 for 9.0.
};

/// GPUs that can be used: at least one.
///
/// @throws Error(unsupported) without a driver or a GPU.
int device_count();

/// @throws Error(unsupported) without a driver, without a GPU or for an index that is not there.
Device find_device(int index);

/// "NVIDIA H100 80GB HBM3, compute capability 9.0": engines are tied to it.
std::string text_of(const Device& device);

/// Makes a GPU the calling thread's own.
void use_device(int index);

struct FreeDevice {
  void operator()(void* memory) const { ::cudaFree(memory); }
};
struct FreePinned {
  void operator()(void* memory) const { ::cudaFreeHost(memory); }
};
struct DestroyStream {
  void operator()(cudaStream_t stream) const { ::cudaStreamDestroy(stream); }
};
struct DestroyEvent {
  void operator()(cudaEvent_t event) const { ::cudaEventDestroy(event); }
};
struct DestroyGraph {
  void operator()(cudaGraphExec_t graph) const { ::cudaGraphExecDestroy(graph); }
};

using Stream = std::unique_ptr<std::remove_pointer_t<cudaStream_t>, DestroyStream>;
using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, DestroyEvent>;
using GraphExec = std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, DestroyGraph>;

Stream make_stream();
Event make_event();

/// Time between two recorded and reached events.
double milliseconds(const Event& from, const Event& to);

/// Memory of the GPU and as much on the host, pinned so that copies run beside other work. Grows,
/// never shrinks.
class Buffer {
 public:
  /// @throws Error(backend) saying how much is free if there is not enough.
  void reserve(std::size_t bytes);

  std::byte* device() const { return static_cast<std::byte*>(device_.get()); }
  std::byte* host() const { return static_cast<std::byte*>(host_.get()); }

 private:
  std::unique_ptr<void, FreeDevice> device_;
  std::unique_ptr<void, FreePinned> host_;
  std::size_t bytes_ = 0;
};

}  // namespace yoloq::runtime::tensorrt
