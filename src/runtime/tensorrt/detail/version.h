// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "core/dtype.h"
#include "runtime/engine.h"

/// @file
/// Everything in which TensorRT's versions 8.5 to 11 differ, and nothing else:
///
///     8           float16 scales are not parsed
///     8.5 to 9    explicit batch is a flag; int8 constants are not parsed as weights
///     9           bfloat16, int64
///     8.5 to 10   weakly typed networks: the builder chooses precisions among those that are
///                 allowed; calibrators and implicit INT8
///     11          strongly typed networks only: the file says every type

namespace yoloq::runtime::tensorrt {

inline constexpr int kMajor = NV_TENSORRT_MAJOR;
inline constexpr int kMinor = NV_TENSORRT_MINOR;

/// The networks leave the choice of types to the builder.
inline constexpr bool kWeaklyTyped = NV_TENSORRT_MAJOR <= 10;

/// IInt8Calibrator exists.
inline constexpr bool kHasCalibrators = NV_TENSORRT_MAJOR <= 10;

/// Several contexts of an engine with open sizes may use its one profile; before, one may.
inline constexpr bool kSharesProfiles = NV_TENSORRT_MAJOR > 8 ||
                                        (NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR >= 6);

/// The parser takes DequantizeLinear of an int8 constant for a weight.
inline constexpr bool kReadsInt8Weights = NV_TENSORRT_MAJOR >= 10;

/// The parser takes float16 scales of quantizers. Version 8 reads their bytes as float32.
///
/// Source: onnx-tensorrt 8.5, 8.6 and 9.3, builtin_op_importers.cpp, "scaleAllPositive".
inline constexpr bool kReadsHalfScales = NV_TENSORRT_MAJOR >= 9;

/// Flags for createNetworkV2().
inline constexpr nvinfer1::NetworkDefinitionCreationFlags kNetworkFlags =
    NV_TENSORRT_MAJOR <= 9 ? 1U << 0 : 0U;  // kEXPLICIT_BATCH; later the only kind there is.

struct TypeRow {
  DType dtype;
  nvinfer1::DataType type;
};

inline constexpr std::array kTypes {
  TypeRow{DType::f32, nvinfer1::DataType::kFLOAT}, TypeRow{DType::f16, nvinfer1::DataType::kHALF},
      TypeRow{DType::i8, nvinfer1::DataType::kINT8},
      TypeRow{DType::i32, nvinfer1::DataType::kINT32},
      TypeRow{DType::boolean, nvinfer1::DataType::kBOOL},
      TypeRow{DType::u8, nvinfer1::DataType::kUINT8},
#if NV_TENSORRT_MAJOR >= 9
      TypeRow{DType::bf16, nvinfer1::DataType::kBF16},
      TypeRow{DType::i64, nvinfer1::DataType::kINT64},
#endif
};

/// A kind of kernels that a build may try, as trtexec's --tacticSources calls it.
struct KernelSourceRow {
  std::string_view name;
  nvinfer1::TacticSource source;
};

#if NV_TENSORRT_MAJOR <= 10
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

inline constexpr std::array kKernelSources{
    KernelSourceRow{"CUBLAS", nvinfer1::TacticSource::kCUBLAS},
    KernelSourceRow{"CUBLAS_LT", nvinfer1::TacticSource::kCUBLAS_LT},
    KernelSourceRow{"CUDNN", nvinfer1::TacticSource::kCUDNN},
    KernelSourceRow{"EDGE_MASK_CONVOLUTIONS", nvinfer1::TacticSource::kEDGE_MASK_CONVOLUTIONS},
    KernelSourceRow{"JIT_CONVOLUTIONS", nvinfer1::TacticSource::kJIT_CONVOLUTIONS},
};

/// Allows int8 kernels beside those of the float type.
inline void allow_int8(nvinfer1::IBuilderConfig& config) {
  config.setFlag(nvinfer1::BuilderFlag::kINT8);
}

/// @returns false if this version has no such type.
inline bool allow_float_type(nvinfer1::IBuilderConfig& config, FloatType type) {
  switch (type) {
    case FloatType::f32:
      return true;
    case FloatType::f16:
      config.setFlag(nvinfer1::BuilderFlag::kFP16);
      return true;
    case FloatType::bf16:
#if NV_TENSORRT_MAJOR >= 9
      config.setFlag(nvinfer1::BuilderFlag::kBF16);
      return true;
#else
      return false;
#endif
  }
  return false;
}

/// Leaves out the kernels of cuBLAS and cuDNN, as TensorRT 10 does by itself: convolutions do not
/// use them, and without them a program needs neither library.
inline void leave_out_foreign_kernels([[maybe_unused]] nvinfer1::IBuilderConfig& config) {
#if NV_TENSORRT_MAJOR <= 9
  using nvinfer1::TacticSource;
  nvinfer1::TacticSources sources = config.getTacticSources();
  for (const auto source :
       {TacticSource::kCUBLAS, TacticSource::kCUBLAS_LT, TacticSource::kCUDNN}) {
    sources &= ~(1U << static_cast<unsigned>(source));
  }
  config.setTacticSources(sources);
#endif
}

/// From TensorRT 10 on it is always so.
inline void share_profiles([[maybe_unused]] nvinfer1::IBuilderConfig& config) {
#if (NV_TENSORRT_MAJOR == 8 && NV_TENSORRT_MINOR >= 6) || NV_TENSORRT_MAJOR == 9
  config.setPreviewFeature(nvinfer1::PreviewFeature::kPROFILE_SHARING_0806, true);
#endif
}

/// Fixes what a layer computes in and hands on; the builder must obey or fail.
inline void fix_type(nvinfer1::IBuilderConfig& config, nvinfer1::ILayer& layer, FloatType type) {
  const auto data_type =
      type == FloatType::f16 ? nvinfer1::DataType::kHALF : nvinfer1::DataType::kFLOAT;
  config.setFlag(nvinfer1::BuilderFlag::kOBEY_PRECISION_CONSTRAINTS);
  layer.setPrecision(data_type);
  for (int i = 0; i < layer.getNbOutputs(); ++i) layer.setOutputType(i, data_type);
}

inline void use_calibrator(nvinfer1::IBuilderConfig& config,
                           nvinfer1::IInt8Calibrator& calibrator) {
  config.setInt8Calibrator(&calibrator);
}
#pragma GCC diagnostic pop
#else
inline constexpr std::array kKernelSources{
    KernelSourceRow{"EDGE_MASK_CONVOLUTIONS", nvinfer1::TacticSource::kEDGE_MASK_CONVOLUTIONS},
    KernelSourceRow{"JIT_CONVOLUTIONS", nvinfer1::TacticSource::kJIT_CONVOLUTIONS},
};

inline void leave_out_foreign_kernels(nvinfer1::IBuilderConfig&) {}
inline void share_profiles(nvinfer1::IBuilderConfig&) {}
inline void allow_int8(nvinfer1::IBuilderConfig&) {}  // The file's Q/DQ are all it takes.
inline bool allow_float_type(nvinfer1::IBuilderConfig&, FloatType) { return true; }
#endif

/// The node an error speaks of, where the parser says it by name.
inline std::string node_name_of([[maybe_unused]] const nvonnxparser::IParserError& error) {
#if NV_TENSORRT_MAJOR >= 10
  return error.nodeName() == nullptr ? "" : error.nodeName();
#else
  return "";
#endif
}

}  // namespace yoloq::runtime::tensorrt
