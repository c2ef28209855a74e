// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "model/description.h"
#include "support/tiny_model.h"

namespace yoloq::test {

/// The tiny model with head weights a hundredth as large: logits of a few units, as trained models
/// give. Those of tiny_model() reach hundreds, so that most scores are exactly 0 or 1 and which of
/// two equally sure boxes wins is a matter of the last bit.
model::Description calm_model(const TinyOptions& options = {});

}  // namespace yoloq::test
