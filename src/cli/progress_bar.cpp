// SPDX-License-Identifier: Apache-2.0
#include "cli/progress_bar.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

namespace yoloq::cli {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kBarWidth = 30;
constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::size_t kPlainSteps = 10;

/// What a bar remembers between two calls.
struct State {
  std::string title;
  std::function<std::string()> note;
  bool terminal = ::isatty(STDERR_FILENO) != 0;
  Clock::time_point start = Clock::now();
  Clock::time_point drawn;
  std::size_t step = 0;
  std::size_t before = 0;  ///< Units done when it started.
};

std::string figures(const State& state, std::size_t done, std::size_t total) {
  const double seconds = std::chrono::duration<double>(Clock::now() - state.start).count();
  std::string text = fmt::format("{}/{}", done, total);
  if (done > state.before && seconds > 0) {
    const double rate = static_cast<double>(done - state.before) / seconds;
    text +=
        fmt::format("  {:.1f}/s  {:.0f} s left", rate, static_cast<double>(total - done) / rate);
  }
  return state.note ? text + "  " + state.note() : text;
}

void draw_bar(State& state, std::size_t done, std::size_t total) {
  const auto now = Clock::now();
  if (done < total && now - state.drawn < kRedraw) return;
  state.drawn = now;
  const auto filled = static_cast<int>(kBarWidth * done / std::max<std::size_t>(total, 1));
  fmt::print(stderr, "\r\033[K{} [{:#<{}}{:.<{}}] {}{}", state.title, "", filled, "",
             kBarWidth - filled, figures(state, done, total), done == total ? "\n" : "");
  std::fflush(stderr);
}

void print_line(State& state, std::size_t done, std::size_t total) {
  const std::size_t step = kPlainSteps * done / std::max<std::size_t>(total, 1);
  if (step == state.step) return;
  state.step = step;
  fmt::print(stderr, "{}: {}\n", state.title, figures(state, done, total));
}

}  // namespace

Progress progress_bar(std::string title, std::function<std::string()> note, std::size_t done) {
  auto state = std::make_shared<State>();
  state->title = std::move(title);
  state->note = std::move(note);
  state->before = done;
  return [state](std::size_t now, std::size_t total) {
    state->terminal ? draw_bar(*state, now, total) : print_line(*state, now, total);
  };
}

}  // namespace yoloq::cli
