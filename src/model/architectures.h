// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace yoloq::model {

/// The names of the built-in architectures: "yolov5n.yaml", ...
std::vector<std::string> architecture_names();

/// The yaml of a built-in architecture; none if there is none of that name.
///
///     yolov5p.yaml                          the layout of v6.0 to v7.0, an eighth of the width
///     yolov5{n,s,m,l,x}.yaml                Ultralytics' sizes, releases v6.0 to v7.0
///     yolov5{s,m,l,x}-v5.0.yaml             those of release v5.0, with Focus and SPP
std::optional<std::string> architecture_yaml(std::string_view name);

}  // namespace yoloq::model
