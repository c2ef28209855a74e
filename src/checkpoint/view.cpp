// SPDX-License-Identifier: Apache-2.0
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "checkpoint/pickle.h"

namespace yoloq::checkpoint::pickle {

namespace {

using Kind = Object::Kind;

constexpr std::size_t kMaxName = 200;  // Names come from the file and end in messages.

/// Classes whose objects are filled like a dict.
constexpr std::array<std::string_view, 3> kDictNames{"OrderedDict", "defaultdict", "dict"};
constexpr std::array<std::string_view, 3> kDictModules{"collections", "builtins", "__builtin__"};

std::string dotted(const Object& name) {
  return fmt::format("{}.{}", name.text.substr(0, kMaxName), name.name.substr(0, kMaxName));
}

bool one_of(std::string_view word, const std::array<std::string_view, 3>& words) {
  return std::ranges::find(words, word) != words.end();
}

}  // namespace

const Object* View::object() const {
  const auto* id = std::get_if<ObjectId>(&value_);
  return id == nullptr ? nullptr : &(*document_)[*id];
}

const Object* View::object(Kind kind) const {
  const Object* found = object();
  return found != nullptr && found->kind == kind ? found : nullptr;
}

std::optional<ObjectId> View::identity() const {
  const auto* id = std::get_if<ObjectId>(&value_);
  return id == nullptr ? std::nullopt : std::optional(*id);
}

std::optional<bool> View::boolean() const {
  const auto* value = std::get_if<bool>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::int64_t> View::integer() const {
  if (const auto value = boolean()) return *value ? 1 : 0;
  const auto* value = std::get_if<std::int64_t>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<double> View::real() const {
  if (const auto value = integer()) return static_cast<double>(*value);
  const auto* value = std::get_if<double>(&value_);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

std::optional<std::string_view> View::text() const {
  const Object* found = object(Kind::text);
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

std::optional<std::string_view> View::bytes() const {
  const Object* found = object(Kind::bytes);
  return found == nullptr ? std::nullopt : std::optional(found->text);
}

bool View::is_sequence() const {
  const Object* found = object();
  return found != nullptr &&
         (found->kind == Kind::list || found->kind == Kind::tuple || found->kind == Kind::set);
}

bool View::is_dict() const {
  const Object* found = object();
  if (found == nullptr) return false;
  if (found->kind == Kind::dict) return true;
  if (found->kind != Kind::made) return false;
  const Object* maker = view(found->callable).object(Kind::name);
  return maker != nullptr && one_of(maker->name, kDictNames) && one_of(maker->text, kDictModules) &&
         found->items.size() % 2 == 0;
}

std::size_t View::size() const {
  if (is_sequence()) return object()->items.size();
  return is_dict() ? object()->items.size() / 2 : 0;
}

View View::at(std::size_t index) const {
  if (!is_sequence() || index >= size()) return view({});
  return view(object()->items[index]);
}

View View::key(std::size_t index) const {
  if (!is_dict() || index >= size()) return view({});
  return view(object()->items[2 * index]);
}

View View::value(std::size_t index) const {
  if (!is_dict() || index >= size()) return view({});
  return view(object()->items[2 * index + 1]);
}

View View::get(std::string_view wanted) const {
  if (!is_dict()) return view({});
  const std::vector<Value>& items = object()->items;
  for (std::size_t i = items.size(); i >= 2; i -= 2) {  // From the end, as a later key wins.
    if (view(items[i - 2]).text() == wanted) return view(items[i - 1]);
  }
  return view({});
}

std::string View::name() const {
  const Object* found = object(Kind::name);
  return found == nullptr ? std::string() : dotted(*found);
}

std::string View::made_by() const {
  const Object* found = object(Kind::made);
  if (found == nullptr) return {};
  std::string maker = view(found->callable).name();
  if (maker == "copyreg._reconstructor" || maker == "copy_reg._reconstructor") {
    return arguments().at(0).name();
  }
  return maker;
}

View View::arguments() const {
  const Object* found = object();
  return view(found == nullptr ? Value{} : found->arguments);
}

View View::state() const {
  const Object* found = object();
  return view(found == nullptr ? Value{} : found->state);
}

bool View::is_external() const { return object(Kind::external) != nullptr; }

std::string View::describe() const {
  const Object* found = object();
  if (is_none()) return "nothing";
  if (found == nullptr) return integer() ? fmt::format("{}", *integer()) : "a real number";
  switch (found->kind) {
    case Kind::text:
      return fmt::format("the text '{}'", found->text.substr(0, kMaxName));
    case Kind::bytes:
      return fmt::format("{} bytes", found->text.size());
    case Kind::list:
      return fmt::format("a list of {}", found->items.size());
    case Kind::tuple:
      return fmt::format("a tuple of {}", found->items.size());
    case Kind::set:
      return fmt::format("a set of {}", found->items.size());
    case Kind::dict:
      return fmt::format("a dict of {}", found->items.size() / 2);
    case Kind::name:
      return fmt::format("the name {}", dotted(*found));
    case Kind::external:
      return "a storage";
    case Kind::made:
      break;
  }
  const std::string maker = made_by();
  return maker.empty() ? "an object" : fmt::format("an object made by {}", maker);
}

}  // namespace yoloq::checkpoint::pickle
