// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <span>

#include "runtime/engine.h"

namespace yoloq::runtime {

/// One model on several devices: requests are made on each device in turn, so that whoever runs
/// several requests at once keeps all devices busy. Each computes what the first one would, as all
/// execute the same compiled model.
///
/// @param engine   on its own device.
/// @param devices  the further ones.
/// @returns `engine` itself if `devices` is empty.
/// @throws as Engine::on_device().
std::shared_ptr<Engine> replicated(std::shared_ptr<Engine> engine, std::span<const int> devices);

}  // namespace yoloq::runtime
