// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <NvInfer.h>
#include <NvOnnxParser.h>

#include <memory>
#include <string>

#include "core/shared_library.h"

namespace yoloq::runtime::tensorrt {

/// TensorRT's libraries, opened when first asked for and kept for the life of the process.
///
/// They are looked for as the dynamic linker does: the program's run path (TENSORRT_ROOT/lib of
/// the build), LD_LIBRARY_PATH, the system's folders.
class Library {
 public:
  /// @throws Error(unsupported) if the library is not there or is of another major version than
  ///     the headers of the build.
  static const Library& get();

  /// "8.5.3".
  const std::string& version() const { return version_; }

  /// @throws Error(backend) if TensorRT gives none: without a driver, say.
  std::unique_ptr<nvinfer1::IBuilder> make_builder(nvinfer1::ILogger& log) const;
  std::unique_ptr<nvinfer1::IRuntime> make_runtime(nvinfer1::ILogger& log) const;

  /// Opens the parser's library as well, which a program that only runs engines does not need.
  std::unique_ptr<nvonnxparser::IParser> make_parser(nvinfer1::INetworkDefinition& network,
                                                     nvinfer1::ILogger& log) const;

 private:
  Library();

  SharedLibrary library_;
  std::string version_;
};

}  // namespace yoloq::runtime::tensorrt
