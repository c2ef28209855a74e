// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/description.h"

/// @file
/// Ultralytics' model yaml, releases v5.0 to v7.0, as a detector whose training has not begun:
///
///     yaml ─▶ Architecture ─▶ make_module, row by row ─▶ initialise ─▶ Description
///             (rows, gains)   (the row's channels known)  (a seed)
///
/// What is read and refused stands in docs/reference/model-yaml.md. To add a module: a row in
/// make_module.cpp, beside what description.h says.

namespace yoloq::model {

struct YamlOptions {
  std::string name = "model.yaml";      ///< Where the text came from, for messages and info.
  std::optional<int> class_count = {};  ///< Instead of the yaml's `nc`.
  std::vector<std::string> names = {};  ///< Empty: "0", "1", ...
  std::vector<std::vector<Anchor>> anchors = {};  ///< Per head, pixels; instead of the yaml's.
  std::optional<std::uint64_t> seed = 0;  ///< Of the weights; absent: convolutions are all 0.
};

/// Builds the detector that a yaml describes.
///
/// Strides are found as Ultralytics finds them, from the sizes that an image of 256 pixels has in
/// the heads. Anchors that fall while strides rise are turned round, as its check_anchor_order
/// does.
///
/// Source: Ultralytics YOLOv5 v7.0, models/yolo.py, parse_model.
///
/// @throws Error(corrupt_file) with name and line for what is no model yaml or contradicts itself;
///         Error(unsupported) with name and line for a module, argument or activation that yoloq
///         does not know, and for anchors that are a number and would have to be found first;
///         Error(bad_argument) for options that do not fit.
Description describe_yaml(std::string_view text, const YamlOptions& options = {});

/// describe_yaml() of a file, or, where there is none, of the built-in architecture of that name
/// ("yolov5n.yaml", "models/yolov5s-v5.0.yaml"). The name is the path's file name.
///
/// @throws Error(not_found) listing the built-in ones if it is neither.
Description read_model_yaml(const std::filesystem::path& path, const YamlOptions& options = {});

}  // namespace yoloq::model
