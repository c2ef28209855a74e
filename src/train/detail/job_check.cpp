// SPDX-License-Identifier: Apache-2.0
#include "train/detail/job_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <system_error>

#include "core/error.h"

namespace yoloq::train {

namespace fs = std::filesystem;

namespace {

void require(bool holds, std::string_view what) {
  if (!holds) fail(ErrorCode::bad_argument, "{}", what);
}

void check_size(const Job& job) {
  const vision::Size size = job.recipe.size;
  const int stride = *std::ranges::max_element(job.head.strides);
  if (size.width > 0 && size.width % stride == 0) return;
  fail(ErrorCode::bad_argument, "images of {} pixels do not fit the model: give a multiple of {}",
       size.width, stride);
}

bool moves_ranges(const Recipe& recipe) { return recipe.range_momentum > 0; }

}  // namespace

namespace detail {

void check_job(const Job& job) {
  const Recipe& recipe = job.recipe;
  check_recipe(recipe, job.plan ? job.plan->target : "");
  require(!job.images.empty(), "there are no images to train on");
  require(job.head.form == detect::HeadForm::raw4d && !job.head.strides.empty(),
          "training takes a model with raw heads");
  check_size(job);
  require(!recipe.learn_scales || job.plan.has_value(),
          "only a quantized model has scales to learn");
  require(recipe.teacher == Teacher::labels || job.plan.has_value(),
          "a float model that teaches itself learns nothing: the teacher is for quantized ones");
  require(!moves_ranges(recipe) || job.plan.has_value(),
          "only a quantized model has ranges to move");
}

}  // namespace detail

void check_recipe(const Recipe& recipe, std::string_view target) {
  require(recipe.epochs > 0, "training takes at least one epoch");
  require(recipe.batch_size > 0 && recipe.nominal_batch > 0, "a batch has at least one image");
  require(recipe.place.ranks < 1 || recipe.batch_size % recipe.place.ranks == 0,
          fmt::format("a batch of {} images cannot be shared by {} ranks; --batch-size is of all "
                      "ranks together, and a multiple of their number",
                      recipe.batch_size, recipe.place.ranks));
  require(recipe.size.width == recipe.size.height, "training takes square images");
  require(!recipe.amp || recipe.device != "cpu", "bfloat16 (amp) is for CUDA; the device is cpu");
  require(recipe.feature_gain >= 0 && std::isfinite(recipe.feature_gain),
          "the gain of feature matching is a number from 0 up");
  require(recipe.feature_gain == 0 || recipe.teacher == Teacher::float_model,
          "features are matched with a teacher's; there is none where labels are learned");
  require(recipe.range_momentum >= 0 && recipe.range_momentum <= 1,
          "the momentum of moving ranges lies between 0 and 1");
  require(!moves_ranges(recipe) || !recipe.learn_scales,
          "scales are either learned or follow moving ranges, not both");
  require(!moves_ranges(recipe) || recipe.place.ranks == 1,
          "ranges move by what one process sees; several would each have their own");
  if ((recipe.learn_scales || moves_ranges(recipe)) && target == "onnxruntime") {
    fail(ErrorCode::unsupported,
         "target onnxruntime shares scales between tensors, which are not learned or moved "
         "together; train with calibrated scales (--freeze-scales), or another target");
  }
}

void check_folder(const fs::path& folder, bool resume, bool replace) {
  std::error_code ignored;
  const fs::path last = folder / "last.ckpt";
  const bool started = fs::exists(last, ignored);
  if (resume && !started) {
    fail(ErrorCode::not_found, "there is no '{}' to go on from", last.string());
  }
  if (resume || replace || !(started || fs::exists(folder / "results.csv", ignored))) return;
  fail(ErrorCode::bad_argument,
       "'{}' holds a training already: give another folder, --resume to go on with it, or "
       "--exist-ok to replace it",
       folder.string());
}

}  // namespace yoloq::train
