// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <memory>
#include <openvino/runtime/compiled_model.hpp>
#include <string>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "runtime/engine.h"
#include "runtime/engine_file.h"

namespace yoloq::runtime::openvino {

/// The plugin that all of this is about.
inline constexpr const char* kDevice = "CPU";

/// Calls `act` and turns what OpenVINO throws into Error(backend).
template <typename Act>
auto guarded(std::string_view what, Act&& act) -> decltype(act()) {
  try {
    return act();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    fail(ErrorCode::backend, "OpenVINO, while {}: {}", what, error.what());
  }
}

/// Wraps a compiled model.
///
/// @param facts  all fields but the blob; save() writes them.
std::shared_ptr<Engine> make_engine(ov::CompiledModel model, EngineFile facts, bool profile);

}  // namespace yoloq::runtime::openvino
