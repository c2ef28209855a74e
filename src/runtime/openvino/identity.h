// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace yoloq::runtime::openvino {

/// OpenVINO's version, the CPU and what it has instructions for. Takes milliseconds.
std::string identity();

}  // namespace yoloq::runtime::openvino
