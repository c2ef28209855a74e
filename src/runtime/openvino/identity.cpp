// SPDX-License-Identifier: Apache-2.0
#include "runtime/openvino/identity.h"

#include <openvino/core/version.hpp>
#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

#include "runtime/cpu.h"
#include "runtime/openvino/detail/engine.h"

namespace yoloq::runtime::openvino {

std::string identity() {
  return guarded("asking for the CPU", [] {
    ov::Core core;
    std::string text = std::string("OpenVINO ") + ov::get_openvino_version().buildNumber + " on " +
                       core.get_property(kDevice, ov::device::full_name);
    for (const std::string& type : core.get_property(kDevice, ov::device::capabilities)) {
      text.append(" ").append(type);
    }
    return text.append(has_int8_dot_product() ? " with" : " without").append(" 8-bit dot product");
  });
}

}  // namespace yoloq::runtime::openvino
