// SPDX-License-Identifier: Apache-2.0
#include "runtime/tensorrt/detail/library.h"

#include "core/error.h"
#include "runtime/tensorrt/detail/version.h"

namespace yoloq::runtime::tensorrt {

namespace {

/// Opens a library whose name the build has fixed.
SharedLibrary open(const char* name) {
  return {"TensorRT's library",
          {name},
          "put its folder into LD_LIBRARY_PATH or build with -DTENSORRT_ROOT"};
}

/// 8503 means 8.5.3, 100703 means 10.7.3: from 10 on the minor version has two digits, as in all of
/// TensorRT-RTX's.
std::string version_text(int number) {
  const int major_unit = number >= 10000 ? 10000 : 1000;
  return fmt::format("{}.{}.{}", number / major_unit, number % major_unit / 100, number % 100);
}

template <typename T>
std::unique_ptr<T> owned(void* object, const char* what) {
  if (object != nullptr) return std::unique_ptr<T>(static_cast<T*>(object));
  fail(ErrorCode::backend, "TensorRT gives no {}: is there an NVIDIA driver and a GPU?", what);
}

}  // namespace

const Library& Library::get() {
  static const Library library;
  return library;
}

Library::Library() : library_(open(YOLOQ_TENSORRT_LIBRARY)) {
  const int number = library_.find<std::int32_t() noexcept>("getInferLibVersion")();
  version_ = version_text(number);
  constexpr bool kStandIn = YOLOQ_TENSORRT_STAND_IN;  // Counts its versions in another way.
  if (kStandIn || std::stoi(version_) == kMajor) return;
  fail(ErrorCode::unsupported,
       "this program was built for TensorRT {}.{}, the library found is {}: build it again", kMajor,
       kMinor, version_);
}

std::unique_ptr<nvinfer1::IBuilder> Library::make_builder(nvinfer1::ILogger& log) const {
  const auto create =
      library_.find<void*(void*, std::int32_t) noexcept>("createInferBuilder_INTERNAL");
  return owned<nvinfer1::IBuilder>(create(&log, NV_TENSORRT_VERSION), "builder");
}

std::unique_ptr<nvinfer1::IRuntime> Library::make_runtime(nvinfer1::ILogger& log) const {
  const auto create =
      library_.find<void*(void*, std::int32_t) noexcept>("createInferRuntime_INTERNAL");
  return owned<nvinfer1::IRuntime>(create(&log, NV_TENSORRT_VERSION), "runtime");
}

std::unique_ptr<nvonnxparser::IParser> Library::make_parser(nvinfer1::INetworkDefinition& network,
                                                            nvinfer1::ILogger& log) const {
  static const SharedLibrary parser = open(YOLOQ_TENSORRT_PARSER);
  const auto create = parser.find<void*(void*, void*, int)>("createNvOnnxParser_INTERNAL");
  return owned<nvonnxparser::IParser>(create(&network, &log, NV_ONNX_PARSER_VERSION), "parser");
}

}  // namespace yoloq::runtime::tensorrt
