// SPDX-License-Identifier: Apache-2.0
#include "checkpoint/pickle.h"

#include <fmt/core.h>

#include <bit>
#include <concepts>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "checkpoint/detail/opcodes.h"
#include "core/error.h"

namespace yoloq::checkpoint::pickle {

namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;  // Real ones have 0.1 to 1 MB.
constexpr std::size_t kMaxObjects = 2'000'000;            // Real ones have 25 to 200 thousand.
constexpr std::uint8_t kMaxProtocol = 5;

using Kind = Object::Kind;

/// Python's pickle machine, less everything that calls.
class Machine {
 public:
  Machine(std::string_view bytes, std::deque<Object>& objects) : bytes_(bytes), objects_(objects) {}

  Value run() {
    while (true) {
      start_ = at_;
      opcode_ = number<std::uint8_t>();
      if (static_cast<Opcode>(opcode_) == Opcode::stop) return pop();
      if (!literal() && !container() && !reference()) {
        refuse("it is not an opcode of protocols 2 to 5", ErrorCode::unsupported);
      }
    }
  }

 private:
  [[noreturn]] void refuse(std::string_view why, ErrorCode code = ErrorCode::corrupt_file) const {
    fail(code, "opcode {:#04x} at offset {} of the pickle: {}", opcode_, start_, why);
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse("the pickle ends in the middle of it");
    const auto result = bytes_.substr(at_, count);
    at_ += count;
    return result;
  }

  template <std::integral T>
  T number() {
    T result{};
    const std::string_view bytes = take(sizeof(T));
    std::memcpy(&result, bytes.data(), bytes.size());
    return result;
  }

  std::string_view line() {
    const auto end = bytes_.find('\n', at_);
    if (end == std::string_view::npos) refuse("the pickle ends in the middle of it");
    const auto result = take(end - at_);
    take(1);
    return result;
  }

  void push(Value value) { stack_.push_back(value); }

  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }

  Value pop() {
    if (stack_.size() <= floor()) refuse("it takes more values than there are");
    const Value result = stack_.back();
    stack_.pop_back();
    return result;
  }

  /// Takes the last mark and all values above it.
  std::vector<Value> pop_marked() {
    if (marks_.empty()) refuse("there is no mark");
    const auto first = stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back());
    std::vector<Value> result(first, stack_.end());
    stack_.erase(first, stack_.end());
    marks_.pop_back();
    return result;
  }

  Value make(Object object) {
    if (objects_.size() >= kMaxObjects) {
      refuse("too many objects for a checkpoint", ErrorCode::unsupported);
    }
    objects_.push_back(std::move(object));
    return ObjectId{static_cast<std::uint32_t>(objects_.size() - 1)};
  }

  void push_object(Kind kind, std::vector<Value> items) {
    push(make({.kind = kind, .items = std::move(items)}));
  }

  void push_text(Kind kind, std::string_view text) { push(make({.kind = kind, .text = text})); }

  void push_tuple(int count) {
    std::vector<Value> items(static_cast<std::size_t>(count));
    for (auto item = items.rbegin(); item != items.rend(); ++item) *item = pop();
    push_object(Kind::tuple, std::move(items));
  }

  /// The object on top of the stack, below what is being added to it.
  Object& top() {
    if (stack_.size() <= floor()) refuse("there is no object to add to");
    const auto* id = std::get_if<ObjectId>(&stack_.back());
    if (id == nullptr) refuse("it adds to a value that holds none");
    return objects_[static_cast<std::size_t>(*id)];
  }

  void add(const std::vector<Value>& values, Kind kind) {
    Object& object = top();
    if (object.kind != kind && object.kind != Kind::made) {
      refuse("it adds to an object of another kind");
    }
    if (kind == Kind::dict && values.size() % 2 != 0) refuse("a key has no value");
    object.items.insert(object.items.end(), values.begin(), values.end());
  }

  void push_made(const Value& callable, const Value& arguments) {
    push(make({.kind = Kind::made, .callable = callable, .arguments = arguments}));
  }

  std::string_view text_of(const Value& value) const {
    const auto* id = std::get_if<ObjectId>(&value);
    if (id == nullptr || objects_[static_cast<std::size_t>(*id)].kind != Kind::text) {
      refuse("a name is not text");
    }
    return objects_[static_cast<std::size_t>(*id)].text;
  }

  /// Little-endian two's complement of any length; beyond 64 bits kept as bytes.
  void push_long(std::uint64_t size) {
    const std::string_view digits = take(size);
    if (digits.size() > sizeof(std::int64_t)) return push_text(Kind::bytes, digits);
    const bool negative = !digits.empty() && (digits.back() & 0x80) != 0;
    std::uint64_t result = negative ? ~std::uint64_t{0} : 0;
    std::memcpy(&result, digits.data(), digits.size());
    push(static_cast<std::int64_t>(result));
  }

  void push_float() {
    std::uint64_t bits = 0;
    for (const char byte : take(sizeof bits)) bits = (bits << 8) | static_cast<std::uint8_t>(byte);
    push(std::bit_cast<double>(bits));
  }

  void remember(std::uint32_t slot) {
    if (stack_.size() <= floor()) refuse("there is no value to remember");
    memo_[slot] = stack_.back();
  }

  void recall(std::uint32_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) refuse(fmt::format("memo {} was never written", slot));
    push(found->second);
  }

  void begin(std::uint8_t protocol) {
    if (protocol <= kMaxProtocol) return;
    refuse(fmt::format("protocol {} is not known; known: 2 to 5", protocol),
           ErrorCode::unsupported);
  }

  bool literal();
  bool container();
  bool reference();

  std::string_view bytes_;
  std::deque<Object>& objects_;
  std::size_t at_ = 0;
  std::size_t start_ = 0;
  unsigned opcode_ = 0;
  std::vector<Value> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Value> memo_;
};

/// Opcodes that hold their value.
bool Machine::literal() {
  switch (static_cast<Opcode>(opcode_)) {
    case Opcode::none:
      return push({}), true;
    case Opcode::new_true:
      return push(true), true;
    case Opcode::new_false:
      return push(false), true;
    case Opcode::binint:
      return push(std::int64_t{number<std::int32_t>()}), true;
    case Opcode::binint1:
      return push(std::int64_t{number<std::uint8_t>()}), true;
    case Opcode::binint2:
      return push(std::int64_t{number<std::uint16_t>()}), true;
    case Opcode::long1:
      return push_long(number<std::uint8_t>()), true;
    case Opcode::long4:
      return push_long(number<std::uint32_t>()), true;
    case Opcode::binfloat:
      return push_float(), true;
    case Opcode::short_binunicode:
    case Opcode::short_binstring:
      return push_text(Kind::text, take(number<std::uint8_t>())), true;
    case Opcode::binunicode:
    case Opcode::binstring:
      return push_text(Kind::text, take(number<std::uint32_t>())), true;
    case Opcode::binunicode8:
      return push_text(Kind::text, take(number<std::uint64_t>())), true;
    case Opcode::short_binbytes:
      return push_text(Kind::bytes, take(number<std::uint8_t>())), true;
    case Opcode::binbytes:
      return push_text(Kind::bytes, take(number<std::uint32_t>())), true;
    case Opcode::binbytes8:
    case Opcode::bytearray8:
      return push_text(Kind::bytes, take(number<std::uint64_t>())), true;
    default:
      return false;
  }
}

/// Opcodes that build and fill lists, tuples, sets and dicts.
bool Machine::container() {
  switch (static_cast<Opcode>(opcode_)) {
    case Opcode::mark:
      return marks_.push_back(stack_.size()), true;
    case Opcode::empty_list:
      return push_object(Kind::list, {}), true;
    case Opcode::empty_tuple:
      return push_object(Kind::tuple, {}), true;
    case Opcode::empty_dict:
      return push_object(Kind::dict, {}), true;
    case Opcode::empty_set:
      return push_object(Kind::set, {}), true;
    case Opcode::list:
      return push_object(Kind::list, pop_marked()), true;
    case Opcode::tuple:
      return push_object(Kind::tuple, pop_marked()), true;
    case Opcode::frozenset:
      return push_object(Kind::set, pop_marked()), true;
    case Opcode::dict: {
      const std::vector<Value> items = pop_marked();
      push_object(Kind::dict, {});
      return add(items, Kind::dict), true;
    }
    case Opcode::tuple1:
      return push_tuple(1), true;
    case Opcode::tuple2:
      return push_tuple(2), true;
    case Opcode::tuple3:
      return push_tuple(3), true;
    case Opcode::append:
      return add({pop()}, Kind::list), true;
    case Opcode::appends:
      return add(pop_marked(), Kind::list), true;
    case Opcode::additems:
      return add(pop_marked(), Kind::set), true;
    case Opcode::setitem: {
      const Value value = pop();
      const Value key = pop();
      return add({key, value}, Kind::dict), true;
    }
    case Opcode::setitems:
      return add(pop_marked(), Kind::dict), true;
    default:
      return false;
  }
}

/// Opcodes that name, recall or drop values, and those that would call.
bool Machine::reference() {
  switch (static_cast<Opcode>(opcode_)) {
    case Opcode::proto:
      return begin(number<std::uint8_t>()), true;
    case Opcode::frame:
      return take(sizeof(std::uint64_t)), true;
    case Opcode::pop:
      return (stack_.size() > floor() ? void(pop()) : void(pop_marked())), true;
    case Opcode::pop_mark:
      return pop_marked(), true;
    case Opcode::dup:
      return push(pop()), push(stack_.back()), true;
    case Opcode::binput:
      return remember(number<std::uint8_t>()), true;
    case Opcode::long_binput:
      return remember(number<std::uint32_t>()), true;
    case Opcode::memoize:
      return remember(static_cast<std::uint32_t>(memo_.size())), true;
    case Opcode::binget:
      return recall(number<std::uint8_t>()), true;
    case Opcode::long_binget:
      return recall(number<std::uint32_t>()), true;
    case Opcode::global: {
      const std::string_view module = line();
      return push(make({.kind = Kind::name, .text = module, .name = line()})), true;
    }
    case Opcode::stack_global: {
      const std::string_view name = text_of(pop());
      return push(make({.kind = Kind::name, .text = text_of(pop()), .name = name})), true;
    }
    case Opcode::binpersid:
      return push(make({.kind = Kind::external, .arguments = pop()})), true;
    case Opcode::newobj_ex:
      pop();  // Keyword arguments.
      [[fallthrough]];
    case Opcode::reduce:
    case Opcode::newobj: {
      const Value arguments = pop();
      return push_made(pop(), arguments), true;
    }
    case Opcode::build: {
      const Value state = pop();
      return top().state = state, true;
    }
    default:
      return false;
  }
}

}  // namespace

Document::Document(std::string bytes) : bytes_(std::move(bytes)) {
  if (bytes_.size() > kMaxBytes) {
    fail(ErrorCode::unsupported, "the pickle has {} bytes, expected at most {}", bytes_.size(),
         kMaxBytes);
  }
  root_ = Machine(bytes_, objects_).run();
}

}  // namespace yoloq::checkpoint::pickle
