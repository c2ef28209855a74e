// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/util/intrusive_ptr.h>

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace c10d {
class Backend;
}

namespace yoloq::train::detail {

/// Lets ranks notice that one of them is gone although nobody waits for it just then: a thread of
/// each exchanges a number with those of the others once a second.
class Heartbeat {
 public:
  /// @param group  of its own: nothing else may be exchanged through it. Its timeout is how long a
  ///               silent rank counts as alive.
  /// @param lost   called once, if a rank is gone and the owner has neither called noticed() nor
  ///               ended some seconds later; may be empty.
  Heartbeat(c10::intrusive_ptr<c10d::Backend> group, std::function<void(std::string_view)> lost);

  /// Ends without the others, who then find this rank gone, unless finish() was called.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  /// The owner knows by itself that a rank is gone.
  void noticed();

  /// Waits until all ranks have called it, or one is gone.
  void finish();

 private:
  void beat();
  void exchange();
  void report(const std::string& why);

  c10::intrusive_ptr<c10d::Backend> group_;
  std::function<void(std::string_view)> lost_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool noticed_ = false;
  bool finishing_ = false;
  bool ending_ = false;
  std::thread thread_;  ///< Last: it reads all the others.
};

}  // namespace yoloq::train::detail
