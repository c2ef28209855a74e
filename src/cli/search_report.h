// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "coco/bootstrap.h"
#include "search/strategy.h"

/// @file
/// What `yoloq search` prints and writes.

namespace yoloq::cli {

/// A model of the search, the float one among them.
struct SearchRow {
  std::string name;
  std::optional<search::Candidate> candidate;  ///< None: the float model.
  double loss = 0;                             ///< Percent; the float model's is 0.
  double ap = 0;                               ///< On the search images, 0 to 1.
  double time = 1;                             ///< The default's is 1.
  int layers_int8 = 0;
  bool on_front = false;
  std::string file;                                ///< Of the front's; empty: none was written.
  std::optional<double> final_ap;                  ///< On images that were not used.
  std::optional<coco::ApDifference> final_change;  ///< Against the float model there.
};

struct SearchReport {
  std::string model;
  std::string objective;
  std::string reason;  ///< Why it ended.
  double float_ap = 0;
  double reference_ms = 0;
  double seconds = 0;
  int layers_total = 0;
  std::size_t search_images = 0;
  std::size_t loss_images = 0;
  std::size_t final_images = 0;
  std::vector<SearchRow> rows;        ///< All that have AP and time.
  std::optional<std::size_t> chosen;  ///< Into `rows`.
};

/// AP points (of 100) below the float model.
double drop_of(const SearchReport& report, const SearchRow& row);

/// Marks the rows that no other beats in loss and time. AP would mark the lucky ones: see
/// docs/decisions/0004-search.md.
void mark_front(SearchReport& report);

/// Of the quantized models on the front the fastest whose drop is within the limit, without a limit
/// the fastest; where none is within it, of all the one with the smallest drop.
std::optional<std::size_t> choose(const SearchReport& report, std::optional<double> max_drop);

void print_front(const SearchReport& report);
nlohmann::ordered_json search_json(const SearchReport& report);

}  // namespace yoloq::cli
