// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <cstddef>
#include <string>
#include <type_traits>
#include <variant>
#include <vector>

#include "model/description.h"

/// @file
/// A walk over everything of a detector that has weights.

namespace yoloq::model {

namespace detail {

template <typename T, typename... Kinds>
constexpr bool kIsOneOf = (std::is_same_v<std::remove_const_t<T>, Kinds> || ...);

/// Calls `visitor` for the Conv2d and BatchNorm2d of `part`, in the order in which PyTorch
/// registers them. `Part` may be const.
template <typename Part, typename Visitor>
void visit_part(Visitor& visitor, const std::string& path, Part& part) {
  const auto child = [&](const char* name, auto& member) {
    visit_part(visitor, path + name, member);
  };
  const auto each = [&](const std::string& prefix, auto& members) {
    for (std::size_t i = 0; i < members.size(); ++i) {
      visit_part(visitor, fmt::format("{}.{}", prefix, i), members[i]);
    }
  };
  if constexpr (kIsOneOf<Part, Conv2d, BatchNorm2d>) {
    visitor(path, part);
  } else if constexpr (kIsOneOf<Part, Conv>) {
    child(".conv", part.conv);
    if (part.bn) child(".bn", *part.bn);
  } else if constexpr (kIsOneOf<Part, Focus>) {
    child(".conv", part.conv);
  } else if constexpr (kIsOneOf<Part, Bottleneck, SPP, SPPF>) {
    child(".cv1", part.cv1);
    child(".cv2", part.cv2);
  } else if constexpr (kIsOneOf<Part, C3, C3SPP, BottleneckCSP>) {
    child(".cv1", part.cv1);
    child(".cv2", part.cv2);
    child(".cv3", part.cv3);
    if constexpr (kIsOneOf<Part, BottleneckCSP>) {
      child(".cv4", part.cv4);
      child(".bn", part.bn);
    }
    if constexpr (kIsOneOf<Part, C3SPP>) {
      child(".m", part.m);
    } else {
      each(path + ".m", part.m);
    }
  } else if constexpr (kIsOneOf<Part, Detect>) {
    each(path + ".m", part.m);
  } else if constexpr (kIsOneOf<Part, Sequential>) {
    each(path, part.modules);
  } else if constexpr (kIsOneOf<Part, Module>) {
    std::visit([&](auto& kind) { visit_part(visitor, path, kind); }, part.kind);
  }
}

}  // namespace detail

/// Calls `visitor(path, conv)` and `visitor(path, norm)` for every Conv2d and BatchNorm2d, in the
/// order of PyTorch's state_dict; `path` is the module's: "model.2.cv1.conv". With a const
/// description the references are const.
template <typename SomeDescription, typename Visitor>
void visit_weights(SomeDescription& description, Visitor visitor) {
  for (std::size_t i = 0; i < description.layers.size(); ++i) {
    detail::visit_part(visitor, fmt::format("model.{}", i), description.layers[i].module);
  }
}

}  // namespace yoloq::model
