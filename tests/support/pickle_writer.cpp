// SPDX-License-Identifier: Apache-2.0
#include "support/pickle_writer.h"

#include <algorithm>
#include <bit>
#include <initializer_list>

namespace yoloq::test {

namespace {

/// The bytes of an integer, least significant first.
template <typename T>
std::string little_endian(T value) {
  std::string result(sizeof value, '\0');
  for (std::size_t i = 0; i < sizeof value; ++i) {
    result[i] = static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i));
  }
  return result;
}

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string result;
  for (const std::string_view part : parts) result.append(part);
  return result;
}

std::string joined(const std::vector<Pickled>& items) {
  std::string result;
  for (const Pickled& item : items) result.append(item);
  return result;
}

std::vector<std::pair<Pickled, Pickled>> with_text_keys(
    const std::vector<std::pair<std::string, Pickled>>& items) {
  std::vector<std::pair<Pickled, Pickled>> result;
  for (const auto& [key, value] : items) result.emplace_back(pickle_text(key), value);
  return result;
}

std::string filled(const Pickled& dict, const std::vector<std::pair<Pickled, Pickled>>& items) {
  std::string result = joined({dict, "("});
  for (const auto& [key, value] : items) result.append(key).append(value);
  return result.append("u");
}

}  // namespace

Pickled pickle_none() { return "N"; }

Pickled pickle_boolean(bool value) { return value ? "\x88" : "\x89"; }

Pickled pickle_integer(std::int64_t value) {
  if (value == static_cast<std::int32_t>(value)) {
    return joined({"J", little_endian(static_cast<std::int32_t>(value))});
  }
  return joined({"\x8a\x08", little_endian(value)});
}

Pickled pickle_real(double value) {
  std::string bytes = little_endian(std::bit_cast<std::uint64_t>(value));
  std::ranges::reverse(bytes);
  return joined({"G", bytes});
}

Pickled pickle_text(std::string_view value) {
  return joined({"X", little_endian(static_cast<std::uint32_t>(value.size())), value});
}

Pickled pickle_list(const std::vector<Pickled>& items) {
  return joined({"](", joined(items), "e"});
}

Pickled pickle_tuple(const std::vector<Pickled>& items) {
  return joined({"(", joined(items), "t"});
}

Pickled pickle_dict(const std::vector<std::pair<Pickled, Pickled>>& items) {
  return filled("}", items);
}

Pickled pickle_attributes(const std::vector<std::pair<std::string, Pickled>>& items) {
  return filled("}", with_text_keys(items));
}

Pickled pickle_ordered(const std::vector<std::pair<std::string, Pickled>>& items) {
  return filled(pickle_call(pickle_global("collections", "OrderedDict"), {}),
                with_text_keys(items));
}

Pickled pickle_global(std::string_view module, std::string_view name) {
  return joined({"c", module, "\n", name, "\n"});
}

Pickled pickle_call(const Pickled& callable, const std::vector<Pickled>& arguments) {
  return joined({callable, pickle_tuple(arguments), "R"});
}

Pickled pickle_object(const Pickled& type, const Pickled& state) {
  return joined({type, ")\x81", state, "b"});
}

Pickled pickle_persistent(const Pickled& id) { return joined({id, "Q"}); }

std::string pickle_document(const Pickled& value) { return joined({"\x80\x02", value, "."}); }

}  // namespace yoloq::test
