// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/cuda.h"

#include "core/error.h"

namespace yoloq::runtime::tensorrt {

void check(cudaError_t status, std::string_view what) {
  if (status == cudaSuccess) return;
  ::cudaGetLastError();  // So that the next call does not report it again.
  fail(ErrorCode::backend, "CUDA, while {}: {}", what, ::cudaGetErrorString(status));
}

int device_count() {
  int count = 0;
  if (const cudaError_t status = ::cudaGetDeviceCount(&count); status != cudaSuccess) {
    ::cudaGetLastError();
    fail(ErrorCode::unsupported, "no GPU can be used: {}", ::cudaGetErrorString(status));
  }
  if (count == 0) fail(ErrorCode::unsupported, "no GPU can be used: none is visible");
  return count;
}

Device find_device(int index) {
  const int count = device_count();
  if (index < 0 || index >= count) {
    fail(ErrorCode::unsupported, "there is no GPU {}; {} can be used, counted from 0", index,
         count);
  }
  cudaDeviceProp properties{};
  check(::cudaGetDeviceProperties(&properties, index), "asking a GPU what it is");
  return {.index = index,
          .name = properties.name,
          .compute_capability = properties.major * 10 + properties.minor};
}

std::string text_of(const Device& device) {
  return fmt::format("{}, compute capability {}.{}", device.name, device.compute_capability / 10,
                     device.compute_capability % 10);
}

void use_device(int index) { check(::cudaSetDevice(index), "choosing a GPU"); }

Stream make_stream() {
  cudaStream_t stream = nullptr;
  check(::cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "making a stream");
  return Stream(stream);
}

Event make_event() {
  cudaEvent_t event = nullptr;
  check(::cudaEventCreate(&event), "making an event");
  return Event(event);
}

double milliseconds(const Event& from, const Event& to) {
  float time = 0;
  check(::cudaEventElapsedTime(&time, from.get(), to.get()), "reading a clock");
  return time;
}

void Buffer::reserve(std::size_t bytes) {
  if (bytes <= bytes_) return;
  device_.reset();
  host_.reset();
  bytes_ = 0;
  void* memory = nullptr;
  if (::cudaMalloc(&memory, bytes) != cudaSuccess) {
    ::cudaGetLastError();
    std::size_t free = 0;
    std::size_t total = 0;
    ::cudaMemGetInfo(&free, &total);
    fail(ErrorCode::backend,
         "the GPU has no {} MiB free for a batch ({} of {} MiB are): take a smaller --batch-size "
         "or fewer --streams",
         bytes >> 20, free >> 20, total >> 20);
  }
  device_.reset(memory);
  check(::cudaMallocHost(&memory, bytes), "pinning memory for a batch");
  host_.reset(memory);
  bytes_ = bytes;
}

}  // namespace yoloq::runtime::tensorrt
