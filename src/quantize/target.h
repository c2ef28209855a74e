// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "core/dtype.h"

namespace yoloq::quantize {

/// Where QuantizeLinear and DequantizeLinear are placed.
enum class Placement {
  conv_inputs,  ///< At the input and weight of each Conv, and at residual inputs of Add.
  raised,       ///< The same, moved up before Concat, MaxPool and Resize: see raise_quantizers().
  every_op,     ///< Around every operator up to the head's convolutions.
};

/// Which inputs of an Add of two branches are quantized.
enum class Residual {
  none,  ///< Neither, unless a Conv reads it as well; then the Add still reads it in float.
  one,   ///< The one that skips the convolutions: TensorRT fuses conv + add + requantize.
  both,  ///< Both: OpenVINO fuses conv + requantize + add + requantize. NVIDIA's
         ///< pytorch-quantization sample for YOLOv5 does so, too.
};

/// What differs between the runtimes that a file is written for.
///
/// To add one: a row in target.cpp. The command line, the docs and the tests read that table.
struct Target {
  std::string_view name;     ///< As typed behind --target.
  DType activation;          ///< i8: symmetric, zero point 0. u8: asymmetric.
  Placement placement;       ///< Which values get a quantizer.
  Residual residual;         ///< Which inputs of an Add, unless --residual says otherwise.
  std::string_view summary;  ///< One line for --help and the docs.
};

std::span<const Target> targets();

/// @throws Error(bad_argument) naming the known targets.
const Target& target_named(std::string_view name);

}  // namespace yoloq::quantize
