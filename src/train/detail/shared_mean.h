// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <vector>

/// @file
/// A mean over what several ranks have, each of which sees its own part: the parts of all ranks
/// add up to the mean, and so do their gradients.
///
///     part of a rank = its own mean * (its count / count of all ranks)

namespace yoloq::train::detail {

/// Adds numbers up over all ranks, which call it at the same point with as many; empty: there is
/// one rank.
using SumOverRanks = std::function<std::vector<double>(std::vector<double>)>;

/// What each of this rank's counts is of that of all ranks, from 0 to 1; 0 where none has any.
std::vector<double> shares_of(const std::vector<double>& own, const std::vector<double>& all);

/// A rank's part of the mean of `values`; of no values 0, with a gradient of no elements.
at::Tensor shared_mean(const at::Tensor& values, double share);

}  // namespace yoloq::train::detail
