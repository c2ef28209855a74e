// SPDX-License-Identifier: Apache-2.0
#include "runtime/engine_file.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "core/error.h"
#include "core/file.h"
#include "core/hash.h"

namespace yoloq::runtime {

namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::string_view kMagic = "YOLOQENG";
constexpr std::uint32_t kFormatVersion = 2;
constexpr std::size_t kHashDigits = 32;

template <typename T>
void put_number(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put(std::string& out, std::string_view text) {
  put_number<std::uint64_t>(out, text.size());
  out += text;
}

void put(std::string& out, const std::vector<std::string>& list) {
  put_number<std::uint64_t>(out, list.size());
  for (const std::string& text : list) put(out, text);
}

void put(std::string& out, const Metadata& pairs) {
  std::vector<std::string> list;
  for (const auto& [key, value] : pairs) list.insert(list.end(), {key, value});
  put(out, list);
}

/// Takes fields off the front of a buffer.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) {
      fail(ErrorCode::corrupt_file,
           "the file ends early: {} more bytes were announced, {} are there", count, rest_.size());
    }
    const std::string_view taken = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return taken;
  }

  template <typename T>
  T number() {
    T value{};
    const std::string_view bytes = take(sizeof value);
    std::memcpy(&value, bytes.data(), bytes.size());
    return value;
  }

  std::string text() { return std::string(take(number<std::uint64_t>())); }

  std::vector<std::string> list() {
    std::vector<std::string> result;
    const auto count = number<std::uint64_t>();
    for (std::uint64_t i = 0; i < count; ++i) result.push_back(text());
    return result;
  }

  Metadata pairs() {
    const std::vector<std::string> texts = list();
    if (texts.size() % 2 != 0) fail(ErrorCode::corrupt_file, "a key has no value");
    Metadata result;
    for (std::size_t i = 0; i < texts.size(); i += 2) result[texts[i]] = texts[i + 1];
    return result;
  }

  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace

std::string serialize(const EngineFile& file) {
  std::string body;
  put(body, file.backend);
  put(body, file.backend_version);
  put(body, file.device);
  put(body, file.float_type);
  put(body, file.model_hash);
  put(body, file.inputs);
  put(body, file.outputs);
  put(body, file.nodes);
  put(body, file.metadata);
  put(body, file.notices);
  put(body, file.blob);

  std::string bytes(kMagic);
  put_number(bytes, kFormatVersion);
  return bytes + hash_of(body) + body;
}

EngineFile parse_engine_file(std::string_view bytes) {
  if (!bytes.starts_with(kMagic)) {
    fail(ErrorCode::corrupt_file, "not a compiled model: it does not begin with '{}'", kMagic);
  }
  Reader reader(bytes.substr(kMagic.size()));
  const auto version = reader.number<std::uint32_t>();
  if (version != kFormatVersion) {
    fail(ErrorCode::unsupported, "compiled-model format {}, this program reads {}; build it again",
         version, kFormatVersion);
  }
  const std::string_view hash = reader.take(kHashDigits);
  if (hash != hash_of(reader.rest())) {
    fail(ErrorCode::corrupt_file, "the compiled model is damaged or cut off; build it again");
  }
  EngineFile file;
  file.backend = reader.text();
  file.backend_version = reader.text();
  file.device = reader.text();
  file.float_type = reader.text();
  file.model_hash = reader.text();
  file.inputs = reader.list();
  file.outputs = reader.list();
  file.nodes = reader.pairs();
  file.metadata = reader.pairs();
  file.notices = reader.list();
  file.blob = reader.text();
  return file;
}

EngineFile read_engine_file(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return parse_engine_file(bytes);
  } catch (const Error& error) {
    throw error.within("while reading '" + path.string() + "'");
  }
}

}  // namespace yoloq::runtime
