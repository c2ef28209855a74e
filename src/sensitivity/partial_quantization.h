// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>

#include "pipeline/model.h"
#include "pipeline/quantization.h"
#include "sensitivity/labelled_images.h"
#include "sensitivity/partial.h"

namespace yoloq::sensitivity {

struct PartialQuantization {
  pipeline::QuantizedModel quantized;  ///< The choice, tuned as `how` says.
  PartialChoice choice;
  double float_ap = 0;  ///< On the search images, 0 to 1.
  double time = 1;      ///< Per image, as a multiple of the full int8 model's.
};

/// Takes layers of a fully quantized model out of int8 until its drop on the search images is
/// within the limit. Weights and biases are tuned anew at each step: they make up for the errors of
/// the layers before them, and are wrong where these errors are gone. AP is measured with
/// throughput engines, time with one thread in turn with the full int8 engine, boundaries between
/// float and int8 included.
///
/// @param rounded  by quantize_model() without tuning and bias correction.
/// @param profile  of `model`; layers that are float already are passed over.
/// @param how      how `rounded` was made, with tuning and bias correction as they are wanted.
/// @throws Error(bad_argument) if the profile is one of another model.
PartialQuantization keep_sensitive_layers_in_float(const pipeline::DetectionModel& model,
                                                   const pipeline::QuantizedModel& rounded,
                                                   const Profile& profile,
                                                   const LabelledImages& search,
                                                   const pipeline::QuantizationOptions& how,
                                                   const PartialOptions& options);

/// How many of `images` are also among `others`: the same file, or one of the same name and bytes.
std::size_t overlap(std::span<const std::filesystem::path> images,
                    std::span<const std::filesystem::path> others);

}  // namespace yoloq::sensitivity
