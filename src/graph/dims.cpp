// SPDX-License-Identifier: Apache-2.0
#include "graph/detail/dims.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"

namespace yoloq::graph::detail {

namespace {

/// `symbol` so that it can be a factor.
std::string grouped(const std::string& symbol) {
  const bool compound = symbol.find_first_of("+-*/ ") != symbol.npos;
  return compound ? fmt::format("({})", symbol) : symbol;
}

std::string plus(const std::string& term, std::int64_t offset) {
  if (offset == 0) return term;
  return fmt::format("{}{:+}", term, offset);
}

Dim named_if_short(std::string symbol) {
  return symbol.size() > kLongestSymbol ? Dim{} : Dim::named(std::move(symbol));
}

/// factor * symbol + offset from sums that may have overflowed.
Element element_or_unknown(bool overflow, Element element) {
  if (overflow) return {};
  if (element.factor == 0) element.symbol.clear();
  return element;
}

}  // namespace

Dim quotient(const Dim& dim, std::int64_t addend, std::int64_t divisor) {
  if (dim.symbol.empty()) return {};
  if (divisor == 1) return dim_of({true, addend, 1, dim.symbol});
  const std::string sum =
      addend == 0 ? grouped(dim.symbol) : fmt::format("({})", plus(dim.symbol, addend));
  return named_if_short(fmt::format("{}/{}", sum, divisor));
}

Dim dim_of(const Element& element) {
  if (!element.known) return {};
  if (element.factor == 0) return element.offset < 0 ? Dim{} : Dim::fixed(element.offset);
  if (element.factor == 1) return named_if_short(plus(element.symbol, element.offset));
  return named_if_short(
      plus(fmt::format("{}*{}", element.factor, grouped(element.symbol)), element.offset));
}

Element element_of(const Dim& dim) {
  if (dim.known()) return Element::number(dim.size);
  if (dim.symbol.empty()) return {};
  return {true, 0, 1, dim.symbol};
}

Dim broadcast(const Dim& a, const Dim& b) {
  if (a.size == 1) return b;
  if (b.size == 1 || a == b) return a;
  if (a.known() && b.known()) {
    fail(ErrorCode::corrupt_file, "sizes {} and {} do not broadcast", a.size, b.size);
  }
  if (a.known()) return a;
  if (b.known()) return b;
  return {};
}

Dims broadcast(const Dims& a, const Dims& b) {
  Dims result(std::max(a.size(), b.size()));
  for (std::size_t i = 0; i < result.size(); ++i) {
    const Dim left = i < a.size() ? a[a.size() - 1 - i] : Dim::fixed(1);
    const Dim right = i < b.size() ? b[b.size() - 1 - i] : Dim::fixed(1);
    result[result.size() - 1 - i] = broadcast(left, right);
  }
  return result;
}

Dim merged(const Dim& a, const Dim& b) {
  if (a.known()) return a;
  if (b.known()) return b;
  return a.symbol.empty() ? b : a;
}

Dims fixed_dims(const Shape& shape) {
  Dims dims;
  for (const std::int64_t size : shape) dims.push_back(Dim::fixed(size));
  return dims;
}

Element sum(const Element& a, const Element& b) {
  if (!a.known || !b.known) return {};
  if (a.factor != 0 && b.factor != 0 && a.symbol != b.symbol) return {};
  Element result{true, 0, 0, a.factor != 0 ? a.symbol : b.symbol};
  const bool overflow = __builtin_add_overflow(a.offset, b.offset, &result.offset) ||
                        __builtin_add_overflow(a.factor, b.factor, &result.factor);
  return element_or_unknown(overflow, std::move(result));
}

Element product(const Element& a, const Element& b) {
  if (!a.known || !b.known || (a.factor != 0 && b.factor != 0)) return {};
  if (a.factor == 0 && b.factor != 0) return product(b, a);
  Element result{true, 0, 0, a.symbol};
  const bool overflow = __builtin_mul_overflow(a.offset, b.offset, &result.offset) ||
                        __builtin_mul_overflow(a.factor, b.offset, &result.factor);
  return element_or_unknown(overflow, std::move(result));
}

Element difference(const Element& a, const Element& b) {
  return sum(a, product(b, Element::number(-1)));
}

Element exact_quotient(const Element& a, const Element& b) {
  if (!a.known || !b.constant() || b.offset <= 0) return {};
  if (a.offset % b.offset != 0 || a.factor % b.offset != 0) return {};
  return {true, a.offset / b.offset, a.factor / b.offset, a.symbol};
}

Element are_equal(const Element& a, const Element& b) {
  const Element rest = difference(a, b);
  if (rest.constant()) return Element::number(rest.offset == 0 ? 1 : 0);
  const bool positive = rest.known && rest.factor > 0 && rest.offset > 0;
  const bool negative = rest.known && rest.factor < 0 && rest.offset < 0;
  return positive || negative ? Element::number(0) : Element{};
}

}  // namespace yoloq::graph::detail
