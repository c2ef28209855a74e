// SPDX-License-Identifier: Apache-2.0
#include "model/architectures.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace yoloq::model {

namespace {

/// Depth and width are of the size; the rows below are those of size l.
constexpr std::string_view kGains = R"(nc: 80
depth_multiple: {}
width_multiple: {}
anchors:  # width, height in pixels
  - [10,13, 16,30, 33,23]       # stride 8
  - [30,61, 62,45, 59,119]      # stride 16
  - [116,90, 156,198, 373,326]  # stride 32
)";

constexpr std::string_view kBackbone = R"(backbone:  # [from, number, module, arguments]
  - [-1, 1, Conv, [64, 6, 2, 2]]   # 0, stride 2
  - [-1, 1, Conv, [128, 3, 2]]     # 1, stride 4
  - [-1, 3, C3, [128]]
  - [-1, 1, Conv, [256, 3, 2]]     # 3, stride 8
  - [-1, 6, C3, [256]]
  - [-1, 1, Conv, [512, 3, 2]]     # 5, stride 16
  - [-1, 9, C3, [512]]
  - [-1, 1, Conv, [1024, 3, 2]]    # 7, stride 32
  - [-1, 3, C3, [1024]]
  - [-1, 1, SPPF, [1024, 5]]       # 9
)";

constexpr std::string_view kBackboneOfV5 = R"(backbone:  # [from, number, module, arguments]
  - [-1, 1, Focus, [64, 3]]        # 0, stride 2
  - [-1, 1, Conv, [128, 3, 2]]     # 1, stride 4
  - [-1, 3, C3, [128]]
  - [-1, 1, Conv, [256, 3, 2]]     # 3, stride 8
  - [-1, 9, C3, [256]]
  - [-1, 1, Conv, [512, 3, 2]]     # 5, stride 16
  - [-1, 9, C3, [512]]
  - [-1, 1, Conv, [1024, 3, 2]]    # 7, stride 32
  - [-1, 1, SPP, [1024, [5, 9, 13]]]
  - [-1, 3, C3, [1024, False]]     # 9
)";

constexpr std::string_view kHead = R"(head:
  - [-1, 1, Conv, [512, 1, 1]]     # 10, down the pyramid
  - [-1, 1, nn.Upsample, [None, 2, nearest]]
  - [[-1, 6], 1, Concat, [1]]
  - [-1, 3, C3, [512, False]]      # 13
  - [-1, 1, Conv, [256, 1, 1]]     # 14
  - [-1, 1, nn.Upsample, [None, 2, nearest]]
  - [[-1, 4], 1, Concat, [1]]
  - [-1, 3, C3, [256, False]]      # 17, stride 8: small objects
  - [-1, 1, Conv, [256, 3, 2]]     # and up again
  - [[-1, 14], 1, Concat, [1]]
  - [-1, 3, C3, [512, False]]      # 20, stride 16
  - [-1, 1, Conv, [512, 3, 2]]
  - [[-1, 10], 1, Concat, [1]]
  - [-1, 3, C3, [1024, False]]     # 23, stride 32: large objects
  - [[17, 20, 23], 1, Detect, [nc, anchors]]
)";

struct BuiltIn {
  std::string_view name;
  double depth;
  double width;
  std::string_view backbone;
};

constexpr BuiltIn kBuiltIns[] = {
    {"yolov5p.yaml", 0.33, 0.125, kBackbone},
    {"yolov5n.yaml", 0.33, 0.25, kBackbone},
    {"yolov5s.yaml", 0.33, 0.50, kBackbone},
    {"yolov5m.yaml", 0.67, 0.75, kBackbone},
    {"yolov5l.yaml", 1.0, 1.0, kBackbone},
    {"yolov5x.yaml", 1.33, 1.25, kBackbone},
    {"yolov5s-v5.0.yaml", 0.33, 0.50, kBackboneOfV5},
    {"yolov5m-v5.0.yaml", 0.67, 0.75, kBackboneOfV5},
    {"yolov5l-v5.0.yaml", 1.0, 1.0, kBackboneOfV5},
    {"yolov5x-v5.0.yaml", 1.33, 1.25, kBackboneOfV5},
};

}  // namespace

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const BuiltIn& row : kBuiltIns) names.emplace_back(row.name);
  return names;
}

std::optional<std::string> architecture_yaml(std::string_view name) {
  const auto* const found = std::ranges::find(kBuiltIns, name, &BuiltIn::name);
  if (found == std::end(kBuiltIns)) return std::nullopt;
  return fmt::format(fmt::runtime(kGains), found->depth, found->width) +
         std::string(found->backbone) + std::string(kHead);
}

}  // namespace yoloq::model
