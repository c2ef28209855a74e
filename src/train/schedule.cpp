// SPDX-License-Identifier: Apache-2.0
#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace yoloq::train {

namespace {

constexpr double kLeastWarmup = 100;

std::size_t accumulated(double batches) {
  return static_cast<std::size_t>(std::max(std::round(batches), 1.0));
}

}  // namespace

Schedule::Schedule(const dataset::Hyperparameters& hyp, const ScheduleOptions& options)
    : hyp_(hyp), options_(options) {
  const auto batches = static_cast<double>(options.batches);
  if (hyp.warmup_epochs > 0) {
    warmup_batches_ = std::min(std::max(std::round(hyp.warmup_epochs * batches), kLeastWarmup),
                               options.epochs * batches / 2);
  }
}

double Schedule::factor(int epoch) const {
  const double part = static_cast<double>(epoch) / options_.epochs;
  const double left = options_.cosine ? (1 + std::cos(std::numbers::pi * part)) / 2 : 1 - part;
  return hyp_.lrf + (1 - hyp_.lrf) * left;
}

Rates Schedule::at(int epoch, std::size_t batch) const {
  const double full = static_cast<double>(options_.nominal_batch) / options_.batch_size;
  const double rate = hyp_.lr0 * factor(epoch);
  Rates rates{rate, rate, hyp_.momentum, accumulated(full)};
  const double done = static_cast<double>(epoch) * static_cast<double>(options_.batches) +
                      static_cast<double>(batch);
  if (done >= warmup_batches_) return rates;
  const double part = done / warmup_batches_;
  const auto between = [part](double from, double to) { return from + (to - from) * part; };
  rates.biases = between(hyp_.warmup_bias_lr, rate);
  rates.weights = between(0, rate);
  rates.momentum = between(hyp_.warmup_momentum, hyp_.momentum);
  rates.accumulate = accumulated(between(1, full));
  return rates;
}

}  // namespace yoloq::train
