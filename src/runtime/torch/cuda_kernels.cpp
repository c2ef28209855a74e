// SPDX-License-Identifier: Apache-2.0
#include "runtime/torch/cuda_kernels.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/shared_library.h"
#include "runtime/torch/device.h"

namespace yoloq::runtime::torch {

namespace {

/// Threads of a block.
constexpr unsigned kThreads = 256;
/// Values that a thread takes before more blocks are worth their start.
constexpr std::int64_t kValuesPerThread = 8;
constexpr std::int64_t kMostBlocks = 512;

/// CUDA C++. A block walks through one slice (blockIdx.y) beside the others of its row.
constexpr const char* kSource = R"(
typedef long long Index;
struct Bfloat16 { unsigned short bits; };

__device__ inline float load(const float* from, Index i) { return from[i]; }
__device__ inline float load(const Bfloat16* from, Index i) {
  return __uint_as_float((unsigned)from[i].bits << 16);
}
__device__ inline void store(float* to, Index i, float value) { to[i] = value; }
__device__ inline void store(Bfloat16* to, Index i, float value) {
  const unsigned bits = __float_as_uint(value);
  // Halves to even; NaN keeps a bit of its fraction.
  const unsigned rounded = value == value ? (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16
                                          : (bits >> 16) | 0x40u;
  to[i].bits = (unsigned short)rounded;
}

// Keeps NaN, as neither comparison holds for it.
__device__ inline float clipped(float value, float low, float high) {
  value = value < low ? low : value;
  return value > high ? high : value;
}

template <bool Silu>
__device__ inline float inner(float x) { return Silu ? x / (1.0f + expf(-x)) : x; }

template <bool Silu, typename T>
__device__ void forward(const T* values, const float* scales, T* result, Index length, float low,
                        float high) {
  const Index start = blockIdx.y * length;
  const float scale = scales[blockIdx.y];
  const Index stride = (Index)gridDim.x * blockDim.x;
  for (Index i = (Index)blockIdx.x * blockDim.x + threadIdx.x; i < length; i += stride) {
    const float code = inner<Silu>(load(values, start + i)) / scale;
    store(result, start + i, rintf(clipped(code, low, high)) * scale);
  }
}

// Adds up over a block, always in the same order; the first thread has the sum.
__device__ double sum_of_block(double value) {
  __shared__ double parts[32];
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_down_sync(0xffffffffu, value, distance);
  }
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  if (threadIdx.x >= 32) return 0;
  value = threadIdx.x < blockDim.x / 32 ? parts[threadIdx.x] : 0;
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_down_sync(0xffffffffu, value, distance);
  }
  return value;
}

// sums: one for each block, or none.
template <bool Silu, typename T>
__device__ void backward(const T* values, const float* scales, const T* gradient, T* result,
                         double* sums, Index length, float low, float high) {
  const Index start = blockIdx.y * length;
  const float scale = scales[blockIdx.y];
  const Index stride = (Index)gridDim.x * blockDim.x;
  double sum = 0;
  for (Index i = (Index)blockIdx.x * blockDim.x + threadIdx.x; i < length; i += stride) {
    const float x = load(values, start + i);
    const float above = load(gradient, start + i);
    const float code = inner<Silu>(x) / scale;
    const bool inside = code >= low && code <= high;
    float slope = 1.0f;
    if (Silu) {
      const float gate = 1.0f / (1.0f + expf(-x));
      slope = gate * (1.0f + x * (1.0f - gate));
    }
    store(result, start + i, inside ? above * slope : 0.0f);
    sum += above * (rintf(clipped(code, low, high)) - (inside ? code : 0.0f));
  }
  if (sums == nullptr) return;
  sum = sum_of_block(sum);
  if (threadIdx.x == 0) sums[(Index)blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

#define KERNELS(NAME, SILU, TYPE)                                                              \
  extern "C" __global__ void forward_##NAME(const TYPE* values, const float* scales,           \
                                            TYPE* result, Index length, float low,             \
                                            float high) {                                      \
    forward<SILU>(values, scales, result, length, low, high);                                  \
  }                                                                                            \
  extern "C" __global__ void backward_##NAME(const TYPE* values, const float* scales,          \
                                             const TYPE* gradient, TYPE* result, double* sums, \
                                             Index length, float low, float high) {            \
    backward<SILU>(values, scales, gradient, result, sums, length, low, high);                 \
  }
KERNELS(plain_float32, false, float)
KERNELS(silu_float32, true, float)
KERNELS(plain_bfloat16, false, Bfloat16)
KERNELS(silu_bfloat16, true, Bfloat16)

// A block adds up the sums of one slice's blocks.
extern "C" __global__ void finish(const double* sums, float* result, Index count) {
  double sum = 0;
  for (Index i = threadIdx.x; i < count; i += blockDim.x) sum += sums[blockIdx.x * count + i];
  sum = sum_of_block(sum);
  if (threadIdx.x == 0) result[blockIdx.x] = (float)sum;
}
)";

// As nvrtc.h and cuda.h declare them: 0 is success.
using CreateProgram = int(void**, const char*, const char*, int, const char* const*,
                          const char* const*);
using CompileProgram = int(void*, int, const char* const*);
using GetSize = int(void*, std::size_t*);
using GetBytes = int(void*, char*);
using DestroyProgram = int(void**);
using LoadLibrary = int(void**, const void*, int*, void**, unsigned, int*, void**, unsigned);
using GetKernel = int(void**, void*, const char*);
using GetDevice = int(int*, int);
using GetAttribute = int(int*, int, int);
using ErrorString = int(int, const char**);
using Launch = int(void*, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned,
                   void*, void**, void**);
constexpr int kComputeCapabilityMajor = 75;
constexpr int kComputeCapabilityMinor = 76;

struct Compiler {
  SharedLibrary library{"NVRTC, which compiles kernels for GPUs,",
                        {"libnvrtc.so.13", "libnvrtc.so.12"}};
  CreateProgram* create = library.find<CreateProgram>("nvrtcCreateProgram");
  CompileProgram* compile = library.find<CompileProgram>("nvrtcCompileProgram");
  GetSize* log_size = library.find<GetSize>("nvrtcGetProgramLogSize");
  GetBytes* log = library.find<GetBytes>("nvrtcGetProgramLog");
  GetSize* code_size = library.find<GetSize>("nvrtcGetCUBINSize");
  GetBytes* code = library.find<GetBytes>("nvrtcGetCUBIN");
  DestroyProgram* destroy = library.find<DestroyProgram>("nvrtcDestroyProgram");
};

struct Driver {
  SharedLibrary library{"the NVIDIA driver", {"libcuda.so.1"}};
  LoadLibrary* load = library.find<LoadLibrary>("cuLibraryLoadData");
  GetKernel* kernel = library.find<GetKernel>("cuLibraryGetKernel");
  GetDevice* device = library.find<GetDevice>("cuDeviceGet");
  GetAttribute* attribute = library.find<GetAttribute>("cuDeviceGetAttribute");
  ErrorString* error_string = library.find<ErrorString>("cuGetErrorString");
  Launch* launch = library.find<Launch>("cuLaunchKernel");
};

const Driver& driver() {
  static const Driver functions;
  return functions;
}

void check(int status, const char* what) {
  if (status == 0) return;
  const char* words = nullptr;
  driver().error_string(status, &words);
  fail(ErrorCode::backend, "CUDA, while {}: {}", what, words != nullptr ? words : "unknown error");
}

/// Machine code of kSource for a compute capability, such as 90.
std::vector<char> compile_kernels(int capability) {
  static const Compiler compiler;
  void* program = nullptr;
  int status = compiler.create(&program, kSource, "fake_quantize.cu", 0, nullptr, nullptr);
  const std::string architecture = fmt::format("--gpu-architecture=sm_{}", capability);
  const char* const options[] = {architecture.c_str(), "--std=c++17"};
  if (status == 0) status = compiler.compile(program, 2, options);
  std::size_t size = 0;
  if (status != 0) {
    std::string log;
    if (program != nullptr && compiler.log_size(program, &size) == 0) {
      log.resize(size);
      compiler.log(program, log.data());
    }
    fail(ErrorCode::backend, "NVRTC cannot compile for compute capability {}.{} (status {}): {}",
         capability / 10, capability % 10, status, log);
  }
  compiler.code_size(program, &size);
  std::vector<char> code(size);
  compiler.code(program, code.data());
  compiler.destroy(&program);
  return code;
}

/// The kernels on one GPU.
class Kernels {
 public:
  explicit Kernels(c10::Device device) {
    int number = 0;
    int capability[2] = {};
    check(driver().device(&number, device.index()), "asking for the GPU");
    check(driver().attribute(&capability[0], kComputeCapabilityMajor, number), "asking the GPU");
    check(driver().attribute(&capability[1], kComputeCapabilityMinor, number), "asking the GPU");
    const auto code = compile_kernels(capability[0] * 10 + capability[1]);
    void* library = nullptr;
    check(driver().load(&library, code.data(), nullptr, nullptr, 0, nullptr, nullptr, 0),
          "loading the kernels of fake quantization");
    const auto find = [&](const std::string& name) {
      void* kernel = nullptr;
      check(driver().kernel(&kernel, library, name.c_str()), "looking a kernel up");
      return kernel;
    };
    finish = find("finish");
    for (const bool silu : {false, true}) {
      for (const bool half : {false, true}) {
        const std::string name =
            std::string(silu ? "_silu" : "_plain") + (half ? "_bfloat16" : "_float32");
        forward[silu][half] = find("forward" + name);
        backward[silu][half] = find("backward" + name);
      }
    }
  }

  /// Those of a device; compiled once for each.
  static const Kernels& on(c10::Device device) {
    static std::mutex mutex;
    static std::map<int, Kernels> all;
    const std::lock_guard lock(mutex);
    const auto found = all.find(device.index());
    return found != all.end() ? found->second
                              : all.emplace(device.index(), Kernels(device)).first->second;
  }

  void* forward[2][2] = {};  ///< With SiLU; in bfloat16.
  void* backward[2][2] = {};
  void* finish = nullptr;
};

/// Of a launch: blocks beside each other in a slice, and slices.
struct Grid {
  unsigned blocks = 1;
  unsigned slices = 1;
};

Grid grid_of(const Slices& slices) {
  const std::int64_t of_block = kThreads * kValuesPerThread;
  const std::int64_t wanted = (slices.length + of_block - 1) / of_block;
  if (slices.count > 65535) {
    fail(ErrorCode::unsupported, "{} scales of one tensor; a GPU takes 65535", slices.count);
  }
  return {static_cast<unsigned>(std::clamp<std::int64_t>(wanted, 1, kMostBlocks)),
          static_cast<unsigned>(slices.count)};
}

/// Starts a kernel with these parameters, of the types that it declares.
template <typename... Values>
void launch(void* kernel, const Grid& grid, c10::Device device, Values... values) {
  void* arguments[] = {static_cast<void*>(&values)...};
  check(driver().launch(kernel, grid.blocks, grid.slices, 1, kThreads, 1, 1, 0,
                        current_stream(device), arguments, nullptr),
        "starting a kernel of fake quantization");
}

bool is_half(const at::Tensor& values) {
  if (values.scalar_type() == at::kFloat) return false;
  if (values.scalar_type() == at::kBFloat16) return true;
  fail(ErrorCode::unsupported, "fake quantization of {} on a GPU; known: float32, bfloat16",
       at::toString(values.scalar_type()));
}

}  // namespace

at::Tensor quantize_forward_on_gpu(const at::Tensor& values, const at::Tensor& scales,
                                   const Slices& slices, const Step& step) {
  const bool half = is_half(values);
  at::Tensor result = at::empty_like(values);
  if (values.numel() == 0) return result;
  const c10::DeviceGuard guard(values.device());
  const at::Tensor dense = scales.contiguous();
  launch(Kernels::on(values.device()).forward[step.silu][half], grid_of(slices), values.device(),
         values.const_data_ptr(), dense.const_data_ptr(), result.mutable_data_ptr(), slices.length,
         step.low, step.high);
  return result;
}

Gradients quantize_backward_on_gpu(const at::Tensor& values, const at::Tensor& scales,
                                   const at::Tensor& gradient, const Slices& slices,
                                   const Step& step, bool with_scale) {
  const bool half = is_half(values);
  Gradients result{.values = at::empty_like(values), .scale = {}};
  if (with_scale) result.scale = at::zeros_like(scales, at::MemoryFormat::Contiguous);
  if (values.numel() == 0) return result;
  const c10::DeviceGuard guard(values.device());
  const Kernels& kernels = Kernels::on(values.device());
  const Grid grid = grid_of(slices);
  const at::Tensor dense = scales.contiguous();
  at::Tensor sums;
  if (with_scale) {
    sums = at::empty({grid.slices, grid.blocks}, values.options().dtype(at::kDouble));
  }
  void* const parts = with_scale ? sums.mutable_data_ptr() : nullptr;
  launch(kernels.backward[step.silu][half], grid, values.device(), values.const_data_ptr(),
         dense.const_data_ptr(), gradient.const_data_ptr(), result.values.mutable_data_ptr(), parts,
         slices.length, step.low, step.high);
  if (!with_scale) return result;
  launch(kernels.finish, {.blocks = grid.slices, .slices = 1}, values.device(), parts,
         result.scale.mutable_data_ptr(), static_cast<std::int64_t>(grid.blocks));
  return result;
}

}  // namespace yoloq::runtime::torch
