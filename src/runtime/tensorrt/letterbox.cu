// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "runtime/tensorrt/detail/letterbox_kernel.h"

namespace yoloq::runtime::tensorrt {

namespace {

constexpr int kWeightBits = 11;
constexpr int kSide = 16;  // Of a block of threads.

/// The two source pixels of one destination pixel along one axis, and their weights.
struct Tap {
  int first;
  int second;
  int first_weight;
  int second_weight;
};

/// Explicit roundings: the compiler must not contract them into one multiply-add.
__device__ Tap tap_at(int destination, double scale) {
  const float place = static_cast<float>(__dadd_rn(__dmul_rn(destination + 0.5, scale), -0.5));
  const int first = static_cast<int>(floorf(place));
  const float rest = place - static_cast<float>(first);
  constexpr float kOne = 1 << kWeightBits;
  return {first, first + 1, __float2int_rn((1.0f - rest) * kOne), __float2int_rn(rest * kOne)};
}

/// Along x a tap beyond the border is moved onto it with its whole weight.
__device__ Tap tap_in_row(int x, double scale, int width) {
  Tap tap = tap_at(x, scale);
  if (tap.first >= 0 && tap.first < width - 1) return tap;
  const int pixel = tap.first < 0 ? 0 : width - 1;
  // OpenCV reads the pixel behind the first one as well, with the weight 0.
  return {pixel, pixel, 1 << kWeightBits, 0};
}

__device__ int clamped(int value, int size) { return min(max(value, 0), size - 1); }

struct Source {
  const unsigned char* pixels;
  int width;
  int height;

  __device__ int at(int x, int y, int channel) const {
    return pixels[(static_cast<std::size_t>(y) * width + x) * 3 + channel];
  }
};

__device__ int halved(const Source& image, int x, int y, int channel) {
  const int sum = image.at(2 * x, 2 * y, channel) + image.at(2 * x + 1, 2 * y, channel) +
                  image.at(2 * x, 2 * y + 1, channel) + image.at(2 * x + 1, 2 * y + 1, channel);
  return (sum + 2) >> 2;
}

__device__ int blended(const Source& image, const Tap& column, const Tap& row, int channel) {
  const auto across = [&](int y) {
    const int line = clamped(y, image.height);
    return image.at(column.first, line, channel) * column.first_weight +
           image.at(column.second, line, channel) * column.second_weight;
  };
  const int upper = (row.first_weight * (across(row.first) >> 4)) >> 16;
  const int lower = (row.second_weight * (across(row.second) >> 4)) >> 16;
  return (upper + lower + 2) >> 2;
}

enum class Resize { none, half, bilinear };

__global__ void letterbox(LetterboxTask task, Resize resize, double scale_x, double scale_y) {
  const int x = blockIdx.x * blockDim.x + threadIdx.x;
  const int y = blockIdx.y * blockDim.y + threadIdx.y;
  if (x >= task.canvas_width || y >= task.canvas_height) return;
  const std::size_t area = static_cast<std::size_t>(task.canvas_width) * task.canvas_height;
  float* out = task.canvas + static_cast<std::size_t>(y) * task.canvas_width + x;
  const int inner_x = x - task.left;
  const int inner_y = y - task.top;
  const bool inside = inner_x >= 0 && inner_x < task.resized_width && inner_y >= 0 &&
                      inner_y < task.resized_height;
  const Source image{task.image, task.width, task.height};
  Tap column{};
  Tap row{};
  if (inside && resize == Resize::bilinear) {
    column = tap_in_row(inner_x, scale_x, task.width);
    row = tap_at(inner_y, scale_y);
  }
  for (int channel = 0; channel < 3; ++channel) {
    int value = task.grey;
    if (inside) {
      value = resize == Resize::none   ? image.at(inner_x, inner_y, channel)
              : resize == Resize::half ? halved(image, inner_x, inner_y, channel)
                                       : blended(image, column, row, channel);
    }
    out[(2 - channel) * area] = __fdiv_rn(static_cast<float>(value), 255.0f);
  }
}

Resize resize_of(const LetterboxTask& task) {
  if (task.width == task.resized_width && task.height == task.resized_height) return Resize::none;
  if (task.width == 2 * task.resized_width && task.height == 2 * task.resized_height) {
    return Resize::half;
  }
  return Resize::bilinear;
}

unsigned blocks(int size) { return static_cast<unsigned>((size + kSide - 1) / kSide); }

}  // namespace

cudaError_t launch_letterbox(const LetterboxTask& task, cudaStream_t stream) {
  // As OpenCV: the inverse of the inverse, each rounded.
  const double scale_x = 1.0 / (static_cast<double>(task.resized_width) / task.width);
  const double scale_y = 1.0 / (static_cast<double>(task.resized_height) / task.height);
  const dim3 grid(blocks(task.canvas_width), blocks(task.canvas_height));
  letterbox<<<grid, dim3(kSide, kSide), 0, stream>>>(task, resize_of(task), scale_x, scale_y);
  return cudaGetLastError();
}

}  // namespace yoloq::runtime::tensorrt
