// SPDX-License-Identifier: Apache-2.0
#include "calibrate/ranges.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "calibrate/detail/bytes.h"
#include "core/error.h"
#include "core/hash.h"

namespace yoloq::calibrate {

namespace {

using detail::ByteReader;
using detail::ByteWriter;

constexpr std::string_view kMagic = "yoloq-ranges\n";
constexpr std::size_t kChecksumSize = 32;
constexpr std::size_t kMostTensors = 1 << 13;  ///< 512 MB; a forged count must not take more.
constexpr std::size_t kSmallestTensor = 13;    ///< Bytes: eight fields, two of them 4 bytes wide.

bool counted(std::uint64_t count) { return count != 0; }

void write_tensor(ByteWriter& out, const TensorStatistics& statistics) {
  out.real(statistics.min);
  out.real(statistics.max);
  out.number(statistics.count);
  const Histogram& histogram = statistics.histogram;
  const auto counts = histogram.counts();
  const auto first = std::ranges::find_if(counts, counted);
  auto last = counts.end();
  while (last != first && *(last - 1) == 0) --last;
  out.number(static_cast<std::uint64_t>(histogram.exponent() - Histogram::kSmallestExponent));
  out.number(first == last ? 0 : static_cast<std::uint64_t>(first - counts.begin()));
  out.number(static_cast<std::uint64_t>(last - first));
  for (auto count = first; count != last; ++count) out.number(*count);
  out.number(statistics.channel_sums.size());
  for (const ExactSum& sum : statistics.channel_sums) {
    for (const std::uint32_t digit : sum.digits()) out.word(digit);
  }
}

Histogram read_histogram(ByteReader& in) {
  const std::uint64_t exponent = std::min<std::uint64_t>(in.number(), 1024);
  const auto first = static_cast<std::size_t>(in.number());
  std::vector<std::uint64_t> counts(std::min(in.count(1), Histogram::kBins + 1));
  for (std::uint64_t& count : counts) count = in.number();
  if (!counts.empty() && (counts.front() == 0 || counts.back() == 0)) {
    fail(ErrorCode::corrupt_file, "a histogram begins or ends with an empty bin");
  }
  if (counts.empty() && first != 0) fail(ErrorCode::corrupt_file, "a histogram without bins");
  return Histogram::of(static_cast<int>(exponent) + Histogram::kSmallestExponent, first, counts);
}

/// Whether the outermost bins in use are those of the extremes; a zero may be on either side.
bool extremes_fit(const TensorStatistics& statistics) {
  const Histogram& histogram = statistics.histogram;
  const float magnitude = std::max(std::fabs(statistics.min), std::fabs(statistics.max));
  if (histogram.exponent() != Histogram::exponent_for(magnitude)) return false;
  const auto counts = histogram.counts();
  std::size_t first = Histogram::bin_of(statistics.min, histogram.exponent());
  std::size_t last = Histogram::bin_of(statistics.max, histogram.exponent());
  if (statistics.min == 0.0f && counted(counts[first - 1])) --first;
  if (statistics.max == 0.0f && !counted(counts[last])) --last;
  return counted(counts[first]) && counted(counts[last]) &&
         std::ranges::none_of(counts.first(first), counted) &&
         std::ranges::none_of(counts.subspan(last + 1), counted);
}

/// Everything the calibrators rely on.
void require_consistent(const TensorStatistics& statistics) {
  const auto positive_zero = [](float value) { return value != 0.0f || !std::signbit(value); };
  const auto whole = [](float value) { return std::isfinite(value); };
  const bool ordered = whole(statistics.min) && whole(statistics.max) &&
                       statistics.min <= statistics.max && positive_zero(statistics.min) &&
                       positive_zero(statistics.max);
  if (!ordered) {
    fail(ErrorCode::corrupt_file, "minimum {} and maximum {} are not finite numbers in this order",
         statistics.min, statistics.max);
  }
  std::uint64_t total = 0;
  for (const std::uint64_t count : statistics.histogram.counts()) {
    if (__builtin_add_overflow(total, count, &total)) {
      fail(ErrorCode::corrupt_file, "the histogram holds more than 2^64 values");
    }
  }
  if (total != statistics.count || statistics.count == 0) {
    fail(ErrorCode::corrupt_file, "{} values in the histogram, {} in all; expected as many, not 0",
         total, statistics.count);
  }
  if (!extremes_fit(statistics)) {
    fail(ErrorCode::corrupt_file, "the histogram does not end at the minimum {} and maximum {}",
         statistics.min, statistics.max);
  }
  if (statistics.channel_sums.empty() || statistics.count % statistics.channel_sums.size() != 0) {
    fail(ErrorCode::corrupt_file, "{} values do not divide among {} channels", statistics.count,
         statistics.channel_sums.size());
  }
}

TensorStatistics read_tensor(ByteReader& in) {
  TensorStatistics statistics;
  statistics.min = in.real();
  statistics.max = in.real();
  statistics.count = in.number();
  statistics.histogram = read_histogram(in);
  statistics.channel_sums.resize(in.count(ExactSum::kDigits * sizeof(std::uint32_t)));
  for (ExactSum& sum : statistics.channel_sums) {
    std::array<std::uint32_t, ExactSum::kDigits> digits{};
    for (std::uint32_t& digit : digits) digit = in.word();
    sum = ExactSum(digits);
  }
  require_consistent(statistics);
  return statistics;
}

Provenance read_provenance(ByteReader& in) {
  Provenance provenance;
  provenance.key = in.text();
  provenance.model = in.text();
  provenance.preprocessing = in.text();
  provenance.tool = in.text();
  provenance.images.resize(in.count(1));
  for (std::string& image : provenance.images) image = in.text();
  if (!std::ranges::is_sorted(provenance.images)) {
    fail(ErrorCode::corrupt_file, "the image list is not sorted");
  }
  return provenance;
}

void read_tensors(ByteReader& in, Ranges& ranges) {
  const std::size_t tensors = in.count(kSmallestTensor);
  if (tensors > kMostTensors) {
    fail(ErrorCode::corrupt_file, "{} tensors; expected {} at most", tensors, kMostTensors);
  }
  for (std::size_t i = 0; i < tensors; ++i) {
    const std::string name = in.text();
    if (!ranges.tensors.empty() && name <= ranges.tensors.rbegin()->first) {
      fail(ErrorCode::corrupt_file, "tensor '{}' is out of order", name);
    }
    try {
      ranges.tensors.emplace_hint(ranges.tensors.end(), name, read_tensor(in));
    } catch (const Error& error) {
      throw error.within("tensor '" + name + "'");
    }
  }
}

}  // namespace

const TensorStatistics& Ranges::at(std::string_view tensor) const {
  const auto found = tensors.find(tensor);
  if (found != tensors.end()) return found->second;
  fail(ErrorCode::not_found,
       "no statistics of tensor '{}' among the {} that were observed; calibrate the model again",
       tensor, tensors.size());
}

void add_images(Ranges& ranges, const Ranges& more) {
  for (const auto& [name, statistics] : more.tensors) {
    const auto [place, is_new] = ranges.tensors.try_emplace(name, statistics);
    if (!is_new) add_images(place->second, statistics);
  }
}

std::string serialize(const Ranges& ranges) {
  ByteWriter out;
  out.raw(kMagic);
  out.number(kRangesFormatVersion);
  const Provenance& provenance = ranges.provenance;
  out.text(provenance.key);
  out.text(provenance.model);
  out.text(provenance.preprocessing);
  out.text(provenance.tool);
  std::vector<std::string> images = provenance.images;
  std::ranges::sort(images);
  out.number(images.size());
  for (const std::string& image : images) out.text(image);
  out.number(ranges.tensors.size());
  for (const auto& [name, statistics] : ranges.tensors) {
    out.text(name);
    write_tensor(out, statistics);
  }
  out.raw(hash_of(out.bytes()));
  return std::move(out).take();
}

Ranges parse_ranges(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    fail(ErrorCode::corrupt_file, "not a ranges file: it does not begin with 'yoloq-ranges'");
  }
  const std::string_view body =
      bytes.substr(0, bytes.size() - std::min(bytes.size(), kChecksumSize));
  ByteReader in(body.size() < kMagic.size() ? kMagic : body);
  in.raw(kMagic.size());
  const std::uint64_t version = in.number();
  if (version != kRangesFormatVersion) {
    fail(ErrorCode::unsupported,
         "a ranges file of format version {}; expected {}: delete it and "
         "calibrate again",
         version, kRangesFormatVersion);
  }
  if (bytes.substr(body.size()) != hash_of(body)) {
    fail(ErrorCode::corrupt_file,
         "a ranges file whose checksum does not match its content: delete it and calibrate again");
  }
  Ranges ranges;
  ranges.provenance = read_provenance(in);
  read_tensors(in, ranges);
  if (in.left() != 0) {
    fail(ErrorCode::corrupt_file, "{} bytes behind the last tensor", in.left());
  }
  return ranges;
}

}  // namespace yoloq::calibrate
