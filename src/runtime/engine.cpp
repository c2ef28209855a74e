// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace yoloq::runtime {

namespace {

struct FloatTypeRow {
  std::string_view name;
  std::string_view long_name;
  FloatType type;
};

constexpr std::array kFloatTypes{
    FloatTypeRow{"f32", "fp32", FloatType::f32},
    FloatTypeRow{"bf16", "bf16", FloatType::bf16},
    FloatTypeRow{"f16", "fp16", FloatType::f16},
};

}  // namespace

std::string_view name_of(FloatType type) {
  return std::ranges::find(kFloatTypes, type, &FloatTypeRow::type)->name;
}

FloatType float_type_of(std::string_view name) {
  const auto row = std::ranges::find_if(kFloatTypes, [&](const FloatTypeRow& known) {
    return known.name == name || known.long_name == name;
  });
  if (row == kFloatTypes.end()) {
    fail(ErrorCode::bad_argument, "no float type '{}'; known: fp32, bf16, fp16", name);
  }
  return row->type;
}

bool GpuOptions::is_default() const {
  return device == 0 && replicas.empty() && !shapes && !native_ptq && float_layers.empty() &&
         workspace_mib == 0 && timing_cache.empty() && kernel_sources.empty() && !cuda_graph &&
         !letterbox;
}

std::shared_ptr<Engine> Engine::on_device(int index) const {
  fail(ErrorCode::unsupported, "'{}' runs on one device, not on device {} as well", description(),
       index);
}

void TensorView::require(DType type) const {
  if (type == dtype) return;
  fail(ErrorCode::unsupported, "a tensor of {} {} cannot be read as {}", yoloq::name_of(dtype),
       to_string(shape), yoloq::name_of(type));
}

bool is_int8(const LayerInfo& layer) { return layer.precision == "i8" || layer.precision == "u8"; }

}  // namespace yoloq::runtime
