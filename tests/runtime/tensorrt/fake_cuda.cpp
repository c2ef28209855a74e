// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/fake_cuda.h"

#include <cuda_runtime_api.h>

#include <cstdlib>
#include <cstring>

#include "runtime/tensorrt/detail/letterbox_kernel.h"

namespace {

int handle = 0;  // Whatever is made: a stream, an event, a graph.

template <typename Handle>
cudaError_t make(Handle* result) {
  *result = reinterpret_cast<Handle>(&handle);
  return cudaSuccess;
}

}  // namespace

namespace yoloq::test {

FakeCuda& fake_cuda() {
  static FakeCuda fake;
  return fake;
}

}  // namespace yoloq::test

namespace yoloq::runtime::tensorrt {

cudaError_t launch_letterbox(const LetterboxTask&, cudaStream_t) { return cudaErrorNotSupported; }

}  // namespace yoloq::runtime::tensorrt

using yoloq::test::fake_cuda;

extern "C" {

cudaError_t cudaGetDeviceCount(int* count) {
  *count = fake_cuda().devices;
  return fake_cuda().has_driver ? cudaSuccess : cudaErrorInsufficientDriver;
}
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {};
  std::strcpy(properties->name, "Fake GPU");
  properties->major = 9;
  return cudaSuccess;
}
cudaError_t cudaSetDevice(int) { return cudaSuccess; }
cudaError_t cudaGetLastError() { return cudaSuccess; }
const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorInsufficientDriver ? "no driver" : "an error";
}

cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  if (bytes > fake_cuda().free_bytes) return cudaErrorMemoryAllocation;
  *memory = std::malloc(bytes);
  return cudaSuccess;
}
cudaError_t cudaMallocHost(void** memory, std::size_t bytes) { return cudaMalloc(memory, bytes); }
cudaError_t cudaFree(void* memory) {
  std::free(memory);
  return cudaSuccess;
}
cudaError_t cudaFreeHost(void* memory) { return cudaFree(memory); }
cudaError_t cudaMemGetInfo(std::size_t* free, std::size_t* total) {
  *free = *total = fake_cuda().free_bytes;
  return cudaSuccess;
}
cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, cudaMemcpyKind) {
  std::memcpy(to, from, bytes);
  return cudaSuccess;
}
cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) { return make(stream); }
cudaError_t cudaStreamDestroy(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
cudaError_t cudaStreamBeginCapture(cudaStream_t, cudaStreamCaptureMode) { return cudaSuccess; }
cudaError_t cudaStreamEndCapture(cudaStream_t, cudaGraph_t* graph) { return make(graph); }

cudaError_t cudaEventCreate(cudaEvent_t* event) { return make(event); }
cudaError_t cudaEventDestroy(cudaEvent_t) { return cudaSuccess; }
cudaError_t cudaEventRecord(cudaEvent_t, cudaStream_t) { return cudaSuccess; }
cudaError_t cudaEventElapsedTime(float* ms, cudaEvent_t, cudaEvent_t) {
  *ms = 1;
  return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* graph, cudaGraph_t, unsigned long long) {
  return make(graph);
}
cudaError_t cudaGraphDestroy(cudaGraph_t) { return cudaSuccess; }
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t) { return cudaSuccess; }
cudaError_t cudaGraphLaunch(cudaGraphExec_t, cudaStream_t) { return cudaSuccess; }

}  // extern "C"
