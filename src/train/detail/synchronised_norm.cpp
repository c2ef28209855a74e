// SPDX-License-Identifier: Apache-2.0
#include "train/detail/synchronised_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <utility>

namespace yoloq::train::detail {

namespace {

using runtime::torch::BatchNorm;
using ::torch::autograd::AutogradContext;
using ::torch::autograd::variable_list;

/// A channel's number at each of its places.
at::Tensor by_channel(const at::Tensor& values) { return values.view({1, -1, 1, 1}); }

/// Values of a channel in so many images.
double places(const at::Tensor& input, std::int64_t images) {
  return static_cast<double>(images * input.size(2) * input.size(3));
}

/// Of all ranks' batches.
struct Statistics {
  at::Tensor mean;      ///< [C] of double, as the variance.
  at::Tensor variance;  ///< Of the values themselves: not corrected.
  double count = 0;
};

/// Sums of values and squares are built from means and variances, and in double, so that a
/// variance that is small beside its mean keeps its digits.
Statistics statistics_of(const at::Tensor& input, const WholeBatch& whole) {
  const std::int64_t channels = input.size(1);
  at::Tensor sums = at::zeros({2 * channels}, input.options().dtype(at::kDouble));
  const double own = places(input, input.size(0));
  if (own > 0) {
    const auto [variance, mean] = at::var_mean(input, at::IntArrayRef{0, 2, 3}, 0, false);
    const at::Tensor centre = mean.to(at::kDouble);
    sums.narrow(0, 0, channels).copy_(centre * own);
    sums.narrow(0, channels, channels).copy_((variance.to(at::kDouble) + centre.square()) * own);
  }
  whole.sum({&sums, 1});
  const double count = places(input, static_cast<std::int64_t>(whole.images));
  const at::Tensor mean = sums.narrow(0, 0, channels) / count;
  const at::Tensor squares = sums.narrow(0, channels, channels) / count;
  return {mean, (squares - mean.square()).clamp_min(0), count};
}

void move_running(const BatchNorm& norm, const Statistics& batch) {
  at::Tensor mean = norm.mean, variance = norm.variance;
  const double corrected = batch.count > 1 ? batch.count / (batch.count - 1) : 1.0;
  mean.mul_(1 - norm.momentum).add_(batch.mean.to(mean.scalar_type()), norm.momentum);
  variance.mul_(1 - norm.momentum)
      .add_((batch.variance * corrected).to(variance.scalar_type()), norm.momentum);
}

/// Keeps the exchange for the way back.
struct Sum : ::torch::CustomClassHolder {
  explicit Sum(SumTensors with) : sum(std::move(with)) {}
  SumTensors sum;
};

/// The gradient; see Ioffe and Szegedy, section 3.
struct SynchronisedNorm : ::torch::autograd::Function<SynchronisedNorm> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& gamma, const at::Tensor& beta, const BatchNorm& norm,
                            const WholeBatch& whole) {
    const at::Tensor values = input.to(at::kFloat);
    const Statistics batch = statistics_of(values, whole);
    move_running(norm, batch);
    const at::Tensor mean = batch.mean.to(at::kFloat);
    const at::Tensor factor = (batch.variance + norm.epsilon).rsqrt().to(at::kFloat);
    const at::Tensor normal = (values - by_channel(mean)) * by_channel(factor);
    context->save_for_backward({normal, gamma, factor});
    context->saved_data["count"] = batch.count;
    context->saved_data["type"] = static_cast<std::int64_t>(input.scalar_type());
    context->saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<Sum>(whole.sum));
    return (normal * by_channel(gamma) + by_channel(beta)).to(input.scalar_type());
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& normal = saved[0];
    const at::Tensor& gamma = saved[1];
    const at::Tensor& factor = saved[2];
    const at::Tensor above = gradients[0].to(at::kFloat);
    const at::Tensor at_beta = above.sum({0, 2, 3});
    const at::Tensor at_gamma = (above * normal).sum({0, 2, 3});

    at::Tensor sums = at::cat({at_beta, at_gamma}).to(at::kDouble);
    const auto capsule = context->saved_data["sum"].toCapsule();
    static_cast<const Sum&>(*capsule).sum({&sums, 1});
    const at::Tensor means = (sums / context->saved_data["count"].toDouble()).to(at::kFloat);
    const std::int64_t channels = gamma.numel();
    const at::Tensor centred = above - by_channel(means.narrow(0, 0, channels)) -
                               normal * by_channel(means.narrow(0, channels, channels));
    const auto type = static_cast<at::ScalarType>(context->saved_data["type"].toInt());
    return {(centred * by_channel(gamma * factor)).to(type), at_gamma, at_beta, {}, {}};
  }
};

/// As the gradient's kernels take it.
at::Tensor dense(const at::Tensor& values) {
  return values.contiguous(values.suggest_memory_format());
}

/// What all ranks know of their values, by rank: [ranks, C] each, but for the counts.
struct Gathered {
  at::Tensor means;
  at::Tensor inverse_deviations;
  at::Tensor counts;  ///< [ranks]
};

Gathered gather_statistics(const at::Tensor& input, double epsilon, const WholeBatch& whole) {
  const std::int64_t channels = input.size(1);
  const auto ranks = static_cast<std::int64_t>(whole.ranks);
  at::Tensor table = at::zeros({ranks, 2 * channels + 1}, input.options().dtype(at::kFloat));
  at::Tensor own = table.select(0, static_cast<std::int64_t>(whole.rank));
  const auto [mean, inverse_deviation] = at::batch_norm_stats(input, epsilon);
  own.narrow(0, 0, channels).copy_(mean);
  own.narrow(0, channels, channels).copy_(inverse_deviation);
  own.narrow(0, 2 * channels, 1).fill_(places(input, input.size(0)));
  whole.sum({&table, 1});
  return {table.narrow(1, 0, channels).contiguous(),
          table.narrow(1, channels, channels).contiguous(),
          table.select(1, 2 * channels).contiguous()};
}

/// The same with kernels that exist on GPUs only: a dozen fewer a layer to start.
struct SynchronisedNormOnGpu : ::torch::autograd::Function<SynchronisedNormOnGpu> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& gamma, const at::Tensor& beta, const BatchNorm& norm,
                            const WholeBatch& whole) {
    const at::Tensor values = dense(input);
    const Gathered all = gather_statistics(values, norm.epsilon, whole);
    const auto [mean, inverse_deviation] = at::batch_norm_gather_stats_with_counts(
        values, all.means, all.inverse_deviations, norm.mean, norm.variance, norm.momentum,
        norm.epsilon, all.counts);
    context->save_for_backward({values, gamma, mean, inverse_deviation, all.counts.to(at::kInt)});
    context->saved_data["sum"] = c10::IValue::make_capsule(c10::make_intrusive<Sum>(whole.sum));
    return at::batch_norm_elemt(values, gamma, beta, mean, inverse_deviation, norm.epsilon);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& values = saved[0];
    const at::Tensor& gamma = saved[1];
    const at::Tensor& mean = saved[2];
    const at::Tensor& inverse_deviation = saved[3];
    const at::Tensor above = gradients[0].contiguous(values.suggest_memory_format());
    const std::int64_t channels = gamma.numel();
    const auto [of_gradients, of_products, at_gamma, at_beta] = at::batch_norm_backward_reduce(
        above, values, mean, inverse_deviation, gamma, true, true, true);
    at::Tensor sums = at::cat({of_gradients, of_products});
    const auto capsule = context->saved_data["sum"].toCapsule();
    static_cast<const Sum&>(*capsule).sum({&sums, 1});
    const at::Tensor at_values = at::batch_norm_backward_elemt(
        above, values, mean, inverse_deviation, gamma, sums.narrow(0, 0, channels),
        sums.narrow(0, channels, channels), saved[4]);
    return {at_values, at_gamma, at_beta, {}, {}};
  }
};

}  // namespace

at::Tensor synchronised_norm(const BatchNorm& norm, const WholeBatch& whole) {
  if (norm.input.is_cuda() && whole.images >= whole.ranks) {
    return SynchronisedNormOnGpu::apply(norm.input, norm.gamma, norm.beta, norm, whole);
  }
  return SynchronisedNorm::apply(norm.input, norm.gamma, norm.beta, norm, whole);
}

}  // namespace yoloq::train::detail
