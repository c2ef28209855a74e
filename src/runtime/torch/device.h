// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace yoloq::runtime::torch {

/// The device of a name such as "cuda:1", ready for use. The half of LibTorch that computes on GPUs
/// is opened when one is first asked for, which must be before the first gradient is computed on a
/// CPU: LibTorch looks for that half once. Products of float32 are not rounded to TF32 from then
/// on.
///
/// @throws Error(bad_argument) for another name, Error(unsupported) saying why there is no GPU.
c10::Device open_device(const std::string& name);

/// The CUDA stream on which LibTorch computes in this thread: what is launched there runs behind
/// all that it has launched before.
void* current_stream(c10::Device device);

}  // namespace yoloq::runtime::torch
