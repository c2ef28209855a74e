// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cuda_runtime_api.h>

/// @file
/// C++17, as CUDA's compiler reads it too.

namespace yoloq::runtime::tensorrt {

/// An image on the device and where it goes, for the kernel.
struct LetterboxTask {
  const unsigned char* image = nullptr;  ///< [height, width, 3], blue green red.
  float* canvas = nullptr;               ///< [3, canvas height, canvas width], red green blue.
  int width = 0;
  int height = 0;
  int canvas_width = 0;
  int canvas_height = 0;
  int resized_width = 0;
  int resized_height = 0;
  int left = 0;
  int top = 0;
  unsigned char grey = 114;
};

/// Fills the canvas: vision::letterbox_into() bit by bit, OpenCV's fixed-point bilinear resize
/// included.
///
/// Source: OpenCV 4, modules/imgproc/src/resize.cpp, INTER_LINEAR on 8 bits: weights of 11 bits,
/// and the mean of 2 x 2 pixels where both sides are halved exactly.
cudaError_t launch_letterbox(const LetterboxTask& task, cudaStream_t stream);

}  // namespace yoloq::runtime::tensorrt
