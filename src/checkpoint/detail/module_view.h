// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/detail/tensors.h"
#include "checkpoint/pickle.h"
#include "core/error.h"
#include "core/tensor.h"
#include "model/description.h"

namespace yoloq::checkpoint {

/// What all modules of one model share while it is read.
struct Reading {
  Tensors tensors;
  std::size_t modules_left = 10'000;  ///< Real: up to 2000. One object may stand in many places.
};

/// An nn.Module of the pickle, at its place in the model. Every question that it cannot answer is
/// an Error naming that place.
class ModuleView {
 public:
  /// @param path  empty for the model itself.
  ModuleView(Reading& reading, const pickle::View& object, std::string path);

  /// The class, without the package around Ultralytics' modules: "models.common.Conv",
  /// "torch.nn.modules.conv.Conv2d".
  const std::string& class_name() const { return class_name_; }
  const std::string& path() const { return path_; }

  /// @throws Error(corrupt_file) if there is no such submodule.
  ModuleView child(std::string_view name) const;
  std::optional<ModuleView> find_child(std::string_view name) const;
  /// All submodules in order, as of nn.Sequential and nn.ModuleList.
  std::vector<ModuleView> children() const;

  /// A parameter, buffer or plain attribute that is a tensor.
  Tensor tensor(std::string_view name) const;
  /// Absent if it is None or not there.
  std::optional<Tensor> find_tensor(std::string_view name) const;
  /// A registered buffer; plain attributes do not count.
  std::optional<Tensor> find_buffer(std::string_view name) const;

  std::int64_t integer(std::string_view name) const;
  float real(std::string_view name) const;
  bool flag(std::string_view name) const;
  /// One number for both axes, or two.
  model::Pair pair(std::string_view name) const;
  pickle::View attribute(std::string_view name) const { return state_.get(name); }

  [[noreturn]] void refuse(ErrorCode code, const std::string& why) const;

 private:
  Tensor read(std::string_view name, const pickle::View& value) const;
  std::string path_of(std::string_view member) const;

  Reading* reading_;
  pickle::View state_;
  std::string class_name_;
  std::string path_;
};

}  // namespace yoloq::checkpoint
