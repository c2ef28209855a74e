// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/detail/module_view.h"

#include <fmt/core.h>

#include <array>
#include <cmath>
#include <utility>

#include "checkpoint/detail/numpy.h"
#include "core/error.h"

namespace yoloq::checkpoint {

using pickle::View;

namespace {

constexpr std::size_t kMaxEntries = 1024;  // Attributes or submodules of one module; real: 30.
constexpr std::size_t kMaxPath = 200;      // Characters; real: 25. Bounds the nesting as well.

/// Packages whose classes are known, wherever they were imported from ("yolov5.models.common").
constexpr std::array<std::string_view, 4> kPackages{"models.common.", "models.yolo.",
                                                    "utils.activations.", "torch.nn."};

std::string without_outer_package(std::string name) {
  for (const std::string_view package : kPackages) {
    const auto at = name.find(package);
    const bool whole_word = at != std::string::npos && (at == 0 || name[at - 1] == '.');
    if (whole_word && !name.starts_with("ultralytics.")) return name.substr(at);
  }
  return name;
}

}  // namespace

ModuleView::ModuleView(Reading& reading, const View& object, std::string path)
    : reading_(&reading),
      state_(object.state()),
      class_name_(without_outer_package(object.made_by())),
      path_(std::move(path)) {
  // With __slots__ the state is a pair; modules have none, but their dict may come first in one.
  if (state_.is_sequence()) state_ = state_.at(0);
  if (path_.size() > kMaxPath || reading.modules_left == 0) {
    refuse(ErrorCode::unsupported, "modules are nested too deep, or there are too many");
  }
  --reading.modules_left;
  if (class_name_.empty() || !state_.is_dict()) {
    refuse(ErrorCode::corrupt_file,
           fmt::format("{} stands where a module is expected", object.describe()));
  }
  if (state_.size() > kMaxEntries || state_.get("_modules").size() > kMaxEntries ||
      state_.get("_parameters").size() > kMaxEntries ||
      state_.get("_buffers").size() > kMaxEntries) {
    refuse(ErrorCode::unsupported, "it has more attributes than any module");
  }
}

void ModuleView::refuse(ErrorCode code, const std::string& why) const {
  const std::string place =
      path_.empty() ? "the model" : fmt::format("module {}", path_.substr(0, kMaxPath));
  fail(code, "{}{}{}: {}", place, class_name_.empty() ? "" : ", a ", class_name_, why);
}

std::string ModuleView::path_of(std::string_view member) const {
  return path_.empty() ? std::string(member) : fmt::format("{}.{}", path_, member);
}

std::optional<ModuleView> ModuleView::find_child(std::string_view name) const {
  const View found = state_.get("_modules").get(name);
  if (found.is_none()) return std::nullopt;
  return ModuleView(*reading_, found, path_of(name));
}

ModuleView ModuleView::child(std::string_view name) const {
  auto found = find_child(name);
  if (!found) refuse(ErrorCode::corrupt_file, fmt::format("it has no submodule '{}'", name));
  return *std::move(found);
}

std::vector<ModuleView> ModuleView::children() const {
  const View modules = state_.get("_modules");
  std::vector<ModuleView> result;
  for (std::size_t i = 0; i < modules.size(); ++i) {
    const auto name = modules.key(i).text();
    if (!name) refuse(ErrorCode::corrupt_file, "a submodule has no name");
    result.emplace_back(*reading_, modules.value(i), path_of(*name));
  }
  return result;
}

Tensor ModuleView::read(std::string_view name, const View& value) const {
  try {
    return reading_->tensors.read(value);
  } catch (const Error& error) {
    throw error.within("module " + path_of(name));
  }
}

std::optional<Tensor> ModuleView::find_tensor(std::string_view name) const {
  for (const char* group : {"_parameters", "_buffers"}) {
    const View found = state_.get(group).get(name);
    if (!found.is_none()) return read(name, found);
  }
  const View plain = attribute(name);
  return Tensors::is_tensor(plain) ? std::optional(read(name, plain)) : std::nullopt;
}

std::optional<Tensor> ModuleView::find_buffer(std::string_view name) const {
  const View found = state_.get("_buffers").get(name);
  return found.is_none() ? std::nullopt : std::optional(read(name, found));
}

Tensor ModuleView::tensor(std::string_view name) const {
  auto found = find_tensor(name);
  if (!found) refuse(ErrorCode::corrupt_file, fmt::format("it has no tensor '{}'", name));
  return *std::move(found);
}

std::int64_t ModuleView::integer(std::string_view name) const {
  if (const auto value = numpy::integer_from(attribute(name))) return *value;
  refuse(ErrorCode::corrupt_file,
         fmt::format("its '{}' is {}, expected a whole number", name, attribute(name).describe()));
}

float ModuleView::real(std::string_view name) const {
  const auto value = numpy::real_from(attribute(name));
  if (value && std::isfinite(static_cast<float>(*value))) return static_cast<float>(*value);
  refuse(ErrorCode::corrupt_file,
         fmt::format("its '{}' is {}, expected a number", name, attribute(name).describe()));
}

bool ModuleView::flag(std::string_view name) const {
  if (const auto value = attribute(name).integer()) return *value != 0;
  refuse(ErrorCode::corrupt_file,
         fmt::format("its '{}' is {}, expected True or False", name, attribute(name).describe()));
}

model::Pair ModuleView::pair(std::string_view name) const {
  const View value = attribute(name);
  if (const auto both = value.integer()) return {*both, *both};
  const auto first = value.at(0).integer();
  const auto second = value.at(1).integer();
  if (value.size() == 2 && first && second) return {*first, *second};
  refuse(ErrorCode::unsupported,
         fmt::format("its '{}' is {}, expected one or two whole numbers", name, value.describe()));
}

}  // namespace yoloq::checkpoint
