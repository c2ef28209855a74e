// SPDX-License-Identifier: Apache-2.0
#include "search/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "core/file.h"

namespace yoloq::search {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

namespace {

constexpr const char* kFormat = "yoloq search journal";
constexpr int kVersion = 1;

class File {
 public:
  explicit File(const fs::path& path)
      : path_(path), descriptor_(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644)) {
    if (descriptor_ < 0) refuse();
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t written = ::write(descriptor_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) refuse();
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    if (::fdatasync(descriptor_) != 0) refuse();
  }

  void truncate(std::size_t length) {
    if (::ftruncate(descriptor_, static_cast<off_t>(length)) != 0) refuse();
  }

 private:
  [[noreturn]] void refuse() const {
    fail(ErrorCode::io, "cannot write '{}': {}", path_.string(),
         std::generic_category().message(errno));
  }

  fs::path path_;
  int descriptor_;
};

std::string header_of(const std::string& subject) {
  return Json{{"format", kFormat}, {"version", kVersion}, {"subject", subject}}.dump() + "\n";
}

}  // namespace

Journal::Journal(fs::path path, const std::string& subject) : path_(std::move(path)) {
  if (!fs::exists(path_)) {
    append(header_of(subject));
  } else {
    read(subject);
  }
}

void Journal::read(const std::string& subject) {
  const std::string text = read_file(path_);
  std::size_t begin = 0;
  int number = 0;
  for (std::size_t end = 0; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    ++number;
    const Json line = Json::parse(text.substr(begin, end - begin), nullptr, false);
    try {
      if (number == 1) {
        if (line.at("format") != kFormat || line.at("version") != kVersion) break;
        if (line.at("subject") != subject) {
          fail(ErrorCode::bad_argument,
               "'{}' is of a search of another model, other data or other options: choose another "
               "folder",
               path_.string());
        }
        continue;
      }
      answers_[line.at("question")] = {line.at("answer").get<std::string>(),
                                       line.at("seconds").get<double>()};
    } catch (const Json::exception&) {
      fail(ErrorCode::corrupt_file, "'{}', line {}: this is no line of a search journal",
           path_.string(), number);
    }
  }
  if (number == 0) {  // Killed while the first line was written.
    File(path_).truncate(0);
    append(header_of(subject));
    return;
  }
  if (number == 1 && begin == 0) {
    fail(ErrorCode::corrupt_file, "'{}' is no search journal of version {}", path_.string(),
         kVersion);
  }
  recalled_ = answers_.size();
  if (begin < text.size()) File(path_).truncate(begin);
}

void Journal::append(const std::string& line) { File(path_).write(line); }

std::string Journal::answer(const std::string& question, const std::function<std::string()>& find) {
  if (const auto known = answers_.find(question); known != answers_.end()) {
    Answer& answer = known->second;
    if (!std::exchange(answer.asked, true)) seconds_ += answer.seconds;
    return answer.text;
  }
  const auto start = std::chrono::steady_clock::now();
  std::string answer = find();
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  append(Json{{"question", question}, {"answer", answer}, {"seconds", seconds}}.dump() + "\n");
  seconds_ += seconds;
  answers_[question] = {answer, seconds, true};
  return answer;
}

double Journal::number(const std::string& question, const std::function<double()>& find) {
  const std::string text = answer(question, [&] { return fmt::format("{}", find()); });
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem == std::errc() && end == text.data() + text.size()) return value;
  fail(ErrorCode::corrupt_file, "'{}': '{}' is answered with '{}', which is no number",
       path_.string(), question, text);
}

}  // namespace yoloq::search
