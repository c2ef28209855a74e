// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace yoloq::train {

/// Numbers over steps for TensorBoard: `tensorboard --logdir FOLDER`.
///
/// Writes events.out.tfevents.<seconds>.<host>.<process>.<n> anew into the folder; TensorBoard
/// joins the files of a folder. What was added is in the file after each call.
///
/// Source: record format of TensorFlow's tensorflow/core/lib/io/record_writer.cc, messages of
/// tensorboard/compat/proto/event.proto and summary.proto.
class EventFile {
 public:
  /// @param first_step  if not 0, a training goes on here: TensorBoard hides what earlier files of
  ///                    the folder say of this step and later ones.
  /// @throws Error(io) if the file cannot be written.
  explicit EventFile(const std::filesystem::path& folder, std::int64_t first_step = 0);
  ~EventFile();
  EventFile(EventFile&&) noexcept;
  EventFile& operator=(EventFile&&) noexcept;

  /// One point of the curve `tag`; a slash in it makes a group: "train/box_loss".
  ///
  /// @throws Error(io) if it cannot be written.
  void add_scalar(std::string_view tag, double value, std::int64_t step);

  const std::filesystem::path& path() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace yoloq::train
