// SPDX-License-Identifier: Apache-2.0
#include "search/strategy.h"

#include <algorithm>
#include <set>

#include "core/error.h"

namespace yoloq::search {

namespace {

/// A change of one option.
using Change = std::function<void(Candidate&)>;

std::vector<Change> ranges_of_activations() {
  std::vector<Change> changes;
  const auto calibrator = [&](const char* name, double percentile) {
    changes.push_back([=](Candidate& candidate) {
      candidate.calibrator = {name, percentile};
      candidate.by_tensor = false;
    });
  };
  const double usual = default_candidate().calibrator.percentile;
  calibrator("mse", usual);
  calibrator("percentile", 99.99);
  calibrator("percentile", 99.999);
  calibrator("percentile", 99.9999);
  calibrator("entropy", usual);
  calibrator("min-max", usual);
  for (const int weight : {0, 2, 5, 15}) {
    changes.push_back([weight](Candidate& candidate) { candidate.object_weight = weight; });
  }
  return changes;
}

std::vector<Change> everything_else(const Space& space) {
  std::vector<Change> changes;
  changes.push_back([](Candidate& candidate) { candidate.by_tensor = true; });
  for (const std::size_t images : {16, 32, 64}) {
    changes.push_back([images](Candidate& candidate) { candidate.tuning_images = images; });
  }
  for (const double ridge : {0.3, 1.0, 3.0}) {
    changes.push_back([ridge](Candidate& candidate) { candidate.ridge = ridge; });
  }
  changes.push_back([](Candidate& candidate) { candidate.tuning = false; });
  for (const std::size_t images : space.image_counts) {
    changes.push_back([images](Candidate& candidate) { candidate.images = images; });
  }
  using quantize::Residual;
  for (const Residual residual : {Residual::none, Residual::one, Residual::both}) {
    changes.push_back([residual, usual = space.residual](Candidate& candidate) {
      candidate.residual = residual == usual ? std::nullopt : std::optional(residual);
    });
  }
  return changes;
}

/// How many of the layers are in float at each step of the way.
constexpr std::size_t kFloatCounts[] = {1, 2, 3, 4, 6, 8, 12, 16};

class Strategy {
 public:
  Strategy(const Space& space, const Measurements& measure, const std::function<bool()>& go_on,
           const std::function<void(const Tried&, bool)>& report)
      : space_(space), measure_(measure), go_on_(go_on), report_(report) {}

  Search run() {
    try {
      complete(attempt(default_candidate()));
      tell(true);
      const auto first = ranges_of_activations();
      const auto second = everything_else(space_);
      for (bool gained = true; gained;) {
        gained = improve(first);
        try_float_layers();
        gained = improve(second) || gained;
        try_float_layers();
      }
      search_.exhausted = true;
    } catch (const Error& error) {  // What was tried so far is the result.
      if (error.code() != ErrorCode::cancelled) throw;
    }
    return std::move(search_);
  }

 private:
  const Tried& best() const { return search_.tried[search_.best_int8]; }

  /// Measures the loss of a candidate that was not tried yet.
  Tried& attempt(const Candidate& candidate) {
    if (!search_.tried.empty() && !go_on_()) fail(ErrorCode::cancelled, "the search was ended");
    seen_.insert(text_of(candidate));
    const double loss = measure_.loss(candidate);
    return search_.tried.emplace_back(Tried{.candidate = candidate, .loss = loss});
  }

  /// Rounding alone takes a tenth of the time of tuning and shows ranges that tuning cannot mend.
  bool is_hopeless(const Candidate& candidate) {
    if (!candidate.tuning || !best().candidate.tuning) return false;
    const auto rounded_loss = [&](Candidate rounded) {
      rounded.tuning = false;
      return measure_.loss(rounded);
    };
    if (!go_on_()) fail(ErrorCode::cancelled, "the search was ended");
    return rounded_loss(candidate) > kHopeless * rounded_loss(best().candidate);
  }

  void complete(Tried& tried) {
    tried.time = measure_.time(tried.candidate);
    tried.ap = measure_.ap(tried.candidate);
    tried.complete = true;
  }

  void tell(bool kept) const {
    if (report_) report_(search_.tried.back(), kept);
  }

  /// Tries one change after the other on the best so far; true if one was kept.
  bool improve(const std::vector<Change>& changes) {
    bool gained = false;
    for (const Change& change : changes) {
      Candidate candidate = best().candidate;
      change(candidate);
      if (seen_.contains(text_of(candidate)) || is_hopeless(candidate)) continue;
      Tried& tried = attempt(candidate);
      const bool is_better = tried.loss < best().loss * (1 - kLeastGain);
      const bool is_other = structure_of(candidate) != structure_of(best().candidate);
      if (is_better || is_other) complete(tried);  // Another structure may be faster.
      if (is_better) search_.best_int8 = search_.tried.size() - 1;
      tell(is_better);
      gained = gained || is_better;
    }
    return gained;
  }

  /// More and more float layers on the best options, until the accuracy of the float model is met.
  void try_float_layers() {
    if (!with_float_layers_.insert(text_of(best().candidate)).second) return;
    for (const std::size_t count : kFloatCounts) {
      if (count > space_.layers.size()) return;
      Candidate candidate = best().candidate;
      candidate.float_layers.assign(space_.layers.begin(),
                                    space_.layers.begin() + static_cast<std::ptrdiff_t>(count));
      std::ranges::sort(candidate.float_layers);
      if (seen_.contains(text_of(candidate))) continue;
      Tried& tried = attempt(candidate);
      complete(tried);
      tell(false);
      if (tried.ap >= space_.float_ap) return;
    }
  }

  const Space& space_;
  const Measurements& measure_;
  const std::function<bool()>& go_on_;
  const std::function<void(const Tried&, bool)>& report_;
  std::set<std::string> seen_;
  std::set<std::string> with_float_layers_;  // On which float layers were tried.
  Search search_;
};

}  // namespace

Search run_search(const Space& space, const Measurements& measure,
                  const std::function<bool()>& go_on,
                  const std::function<void(const Tried&, bool kept)>& report) {
  return Strategy(space, measure, go_on, report).run();
}

}  // namespace yoloq::search
