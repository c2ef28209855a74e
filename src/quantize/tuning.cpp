// SPDX-License-Identifier: Apache-2.0
#include "quantize/tuning.h"

#define EIGEN_USE_BLAS
#include <Eigen/Dense>
#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>

extern "C" void openblas_set_num_threads(int count);  // Of OpenBLAS, which the build asks for.

namespace yoloq::quantize {

namespace {

using Matrix = Eigen::MatrixXd;
using Vector = Eigen::VectorXd;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Block = Eigen::Map<const RowMajor>;

constexpr Eigen::Index kColumnsAtOnce = 64;

/// An input that varies less than this, in means of all, is as good as constant: any code will do.
constexpr double kDead = 1e-12;

/// Callers have threads of their own; those of BLAS would wait for work by spinning.
void use_one_blas_thread() {
  static const bool done = (openblas_set_num_threads(1), true);
  static_cast<void>(done);
}

}  // namespace

struct Moments::State {
  double count = 0;
  Matrix inputs;  // [K, K], sums of products of patches; lower triangle.
  Matrix cross;   // [O, K]
  Vector input_sum;
  Vector output_sum;

  /// Covariance of the patches, both triangles.
  Matrix input_covariance() const {
    Matrix full = inputs.selfadjointView<Eigen::Lower>();
    full /= count;
    full.noalias() -= (input_sum / count) * (input_sum / count).transpose();
    return full;
  }
  Matrix cross_covariance() const {
    Matrix result = cross / count;
    result.noalias() -= (output_sum / count) * (input_sum / count).transpose();
    return result;
  }
};

Moments::Moments(std::int64_t inputs, std::int64_t outputs) : state_(std::make_unique<State>()) {
  use_one_blas_thread();
  state_->inputs = Matrix::Zero(inputs, inputs);
  state_->cross = Matrix::Zero(outputs, inputs);
  state_->input_sum = Vector::Zero(inputs);
  state_->output_sum = Vector::Zero(outputs);
}
Moments::~Moments() = default;
Moments::Moments(Moments&&) noexcept = default;
Moments& Moments::operator=(Moments&&) noexcept = default;

void Moments::add(std::span<const float> patches, std::span<const float> targets) {
  State& sums = *state_;
  const Eigen::Index k = sums.inputs.rows();
  const Eigen::Index o = sums.cross.rows();
  const Eigen::Index rows = std::ssize(patches) / k;
  assert(rows * k == std::ssize(patches) && rows * o == std::ssize(targets));
  const Block x(patches.data(), rows, k);
  const Block y(targets.data(), rows, o);
  // Products in float, sums over calls in double: a call holds few enough rows for that.
  Eigen::MatrixXf products = Eigen::MatrixXf::Zero(k, k);
  products.selfadjointView<Eigen::Lower>().rankUpdate(x.transpose());
  sums.inputs.triangularView<Eigen::Lower>() += products.cast<double>();
  sums.cross += (y.transpose() * x).cast<double>();
  sums.input_sum += x.colwise().sum().transpose().cast<double>();
  sums.output_sum += y.colwise().sum().transpose().cast<double>();
  sums.count += static_cast<double>(rows);
}

void Moments::add(const Moments& other) {
  State& sums = *state_;
  const State& more = *other.state_;
  sums.inputs.triangularView<Eigen::Lower>() += more.inputs;
  sums.cross += more.cross;
  sums.input_sum += more.input_sum;
  sums.output_sum += more.output_sum;
  sums.count += more.count;
}

namespace {

/// W* of the file comment.
Matrix regress(const Matrix& weight, const Moments::State& moments, const Matrix& covariance,
               double ridge) {
  const double strength = ridge * covariance.diagonal().mean();
  if (strength <= 0) return weight;  // The inputs never change: there is nothing to learn.
  Matrix left = covariance;
  left.diagonal().array() += strength;
  const Matrix right = moments.cross_covariance() + strength * weight;
  return left.llt().solve(right.transpose()).transpose();
}

Vector scales_of(const Matrix& weight, int top_code) {
  Vector scales = weight.cwiseAbs().rowwise().maxCoeff() / static_cast<double>(top_code);
  for (double& scale : scales) {
    // Scales are stored as float32: round first, so that codes are made for the scale that is used.
    scale =
        scale > 0 ? std::max(static_cast<float>(scale), std::numeric_limits<float>::min()) : 1.0f;
  }
  return scales;
}

/// Columns by falling variance: the inputs that matter most are rounded first.
std::vector<Eigen::Index> rounding_order(const Matrix& covariance) {
  std::vector<Eigen::Index> order(static_cast<std::size_t>(covariance.rows()));
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::ranges::greater{},
                           [&](Eigen::Index i) { return covariance(i, i); });
  return order;
}

Matrix damped(Matrix covariance, double damping) {
  const double mean = covariance.diagonal().mean();
  for (double& variance : covariance.diagonal()) {
    if (variance <= kDead * mean) variance = mean > 0 ? mean : 1.0;
    variance += damping * mean;
  }
  return covariance;
}

/// How the error of a column is spread over those that follow, in a metric.
Matrix spreading(const Matrix& metric) {
  const Eigen::Index k = metric.rows();
  const Matrix inverse = metric.llt().solve(Matrix::Identity(k, k));
  return inverse.llt().matrixU();
}

/// Rounds the columns of `weight` one after the other; returns codes as real numbers.
Matrix round_columns(Matrix weight, const Vector& scales, const Matrix& upper, double top_code) {
  const Eigen::Index k = weight.cols();
  Matrix codes(weight.rows(), k);
  for (Eigen::Index first = 0; first < k; first += kColumnsAtOnce) {
    const Eigen::Index end = std::min(k, first + kColumnsAtOnce);
    Matrix errors(weight.rows(), end - first);
    for (Eigen::Index j = first; j < end; ++j) {
      codes.col(j) = weight.col(j).cwiseQuotient(scales).unaryExpr([&](double quotient) {
        return std::clamp(std::nearbyint(quotient), -top_code, top_code);
      });
      errors.col(j - first) = (weight.col(j) - codes.col(j).cwiseProduct(scales)) / upper(j, j);
      const Eigen::Index rest = end - j - 1;
      weight.middleCols(j + 1, rest).noalias() -=
          errors.col(j - first) * upper.row(j).segment(j + 1, rest);
    }
    weight.rightCols(k - end).noalias() -= errors * upper.block(first, end, end - first, k - end);
  }
  return codes;
}

/// Moves codes one by one to where the quadratic error is least, the others as they are.
void descend(const Matrix& weight, const Vector& scales, const Matrix& metric, double top_code,
             int sweeps, Matrix& codes) {
  for (Eigen::Index o = 0; o < weight.rows(); ++o) {
    const double scale = scales(o);
    Vector gradient = metric * (weight.row(o) - scale * codes.row(o)).transpose();
    for (int sweep = 0; sweep < sweeps; ++sweep) {
      bool moved = false;
      for (Eigen::Index j = 0; j < weight.cols(); ++j) {
        const double wanted = codes(o, j) + std::nearbyint(gradient(j) / (metric(j, j) * scale));
        const double step = std::clamp(wanted, -top_code, top_code) - codes(o, j);
        if (step == 0) continue;
        codes(o, j) += step;
        gradient.noalias() -= (scale * step) * metric.col(j);
        moved = true;
      }
      if (!moved) break;
    }
  }
}

/// Codes as real numbers, and what they are multiples of.
struct Rounded {
  Matrix codes;
  Vector scales;
};

/// Of each row, its error in the metric.
Vector errors_of(const Matrix& weight, const Rounded& rounded, const Matrix& metric) {
  const Matrix difference = weight - rounded.scales.asDiagonal() * rounded.codes;
  return (difference * metric).cwiseProduct(difference).rowwise().sum();
}

/// The smallest scale that is tried, as a part of the largest.
constexpr double kSmallestScale = 0.75;

/// Rounds with each scale that the options ask for and keeps per row what loses least.
Rounded round_weight(const Matrix& weight, const Matrix& metric, const TuningOptions& options) {
  const Matrix upper = spreading(metric);
  const Vector largest = scales_of(weight, options.top_code);
  const auto round_by = [&](double share) {
    Rounded rounded{.scales = (largest * share).cast<float>().cast<double>()};
    rounded.codes = round_columns(weight, rounded.scales, upper, options.top_code);
    descend(weight, rounded.scales, metric, options.top_code, options.sweeps, rounded.codes);
    return rounded;
  };
  Rounded best = round_by(1);
  if (options.scales < 2) return best;
  Vector least = errors_of(weight, best, metric);
  for (int i = 1; i < options.scales; ++i) {
    const Rounded other = round_by(1 - (1 - kSmallestScale) * i / (options.scales - 1));
    const Vector errors = errors_of(weight, other, metric);
    for (Eigen::Index row = 0; row < weight.rows(); ++row) {
      if (errors(row) >= least(row)) continue;
      least(row) = errors(row);
      best.codes.row(row) = other.codes.row(row);
      best.scales(row) = other.scales(row);
    }
  }
  return best;
}

}  // namespace

TunedWeight tune_weight(std::span<const float> weight, const Moments& moments,
                        const TuningOptions& options) {
  const Moments::State& state = moments.state();
  const Eigen::Index k = state.inputs.rows();
  const Eigen::Index o = state.cross.rows();
  assert(o * k == std::ssize(weight));
  const Matrix original = Block(weight.data(), o, k).cast<double>();
  const Matrix covariance = state.input_covariance();
  const Matrix target = regress(original, state, covariance, options.ridge);
  const auto order = rounding_order(covariance);
  const Matrix metric = damped(covariance, options.damping)(order, order);
  const auto [codes, scales] = round_weight(target(Eigen::all, order), metric, options);

  TunedWeight tuned;
  for (const double scale : scales) tuned.scales.push_back(static_cast<float>(scale));
  tuned.codes.resize(weight.size());
  for (Eigen::Index column = 0; column < k; ++column) {
    const Eigen::Index place = order[static_cast<std::size_t>(column)];
    for (Eigen::Index row = 0; row < o; ++row) {
      tuned.codes[static_cast<std::size_t>(row * k + place)] =
          static_cast<std::int8_t>(codes(row, column));
    }
  }
  return tuned;
}

}  // namespace yoloq::quantize
