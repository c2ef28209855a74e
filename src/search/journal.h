// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>

namespace yoloq::search {

/// Answers that took long, kept on disk as soon as they are there: one line of JSON each. A search
/// that was killed asks the same questions again and gets the same answers.
///
///     {"format":"yoloq search journal","version":1,"subject":"<hash>"}
///     {"question":"loss default","answer":"3.1415","seconds":24.1}
///
/// Used by one thread, and by one process at a time.
class Journal {
 public:
  /// Opens or makes the file. A last line that was cut short is dropped.
  ///
  /// @param subject  what all answers depend on.
  /// @throws Error(bad_argument) if the file is of another subject, Error(corrupt_file) if it is no
  ///     journal, Error(io).
  Journal(std::filesystem::path path, const std::string& subject);

  /// The answer of before, else that of `find`, which is written down before it is returned.
  std::string answer(const std::string& question, const std::function<std::string()>& find);

  /// The same for a number; it reads back to the same double.
  double number(const std::string& question, const std::function<double()>& find);

  /// What the answers took that were asked for so far, also those of earlier runs: at each question
  /// the same as in a run that was never broken. What was begun and never ended does not count.
  double seconds() const { return seconds_; }

  /// Answers that were in the file when it was opened.
  std::size_t recalled() const { return recalled_; }

 private:
  void read(const std::string& subject);
  void append(const std::string& line);

  std::filesystem::path path_;
  struct Answer {
    std::string text;
    double seconds = 0;
    bool asked = false;  ///< In this run.
  };

  std::map<std::string, Answer> answers_;
  std::size_t recalled_ = 0;
  double seconds_ = 0;
};

}  // namespace yoloq::search
