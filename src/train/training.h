// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataset/hyperparameters.h"
#include "detect/head.h"
#include "graph/graph.h"
#include "pipeline/ground_truth.h"
#include "quantize/plan.h"
#include "vision/geometry.h"

/// @file
/// Training and quantization-aware training:
///
///     Graph (with a Plan: fake-quantized) ─▶ Network ─▶ heads ─▶ loss ─▶ gradients ─▶ SGD
///                                               ▲                                      │
///                                               └──────────────────────────────────────┘
///     each epoch: moving averages ─▶ .ckpt ─▶ deployed() ─▶ AP ─▶ results.csv
///
/// detail/session.h is one step, training.cpp the epochs. This header shows nothing of LibTorch.

namespace yoloq::train {

/// What the network learns from.
enum class Teacher {
  labels,       ///< YOLOv5's loss.
  float_model,  ///< What the float model says of the same images; needs no labels.
};

/// Which of the processes that train one model together this is.
struct RankPlace {
  int rank = 0;
  int ranks = 1;               ///< 1: this process trains alone, whatever the rest says.
  std::string address = {};    ///< Of the machine where the ranks meet, that of rank 0.
  int port = 0;                ///< There.
  bool hosted = false;         ///< The meeting point is there already; else rank 0 opens it.
  std::string meeting = {};    ///< Ranks meet those of the same name; torchrun counts restarts.
  std::string interface = {};  ///< Network interface; empty: that of the host name or of loopback.
  double patience = 600;       ///< Seconds to wait for ranks that have not come.
};

/// What moves the parameters.
enum class Method {
  sgd,    ///< With Nesterov momentum.
  adamw,  ///< hyp.momentum is its beta1; with an lr0 near 1e-3 it gets far sooner where training
          ///< starts from random weights.
};

struct Recipe {
  int epochs = 100;
  int batch_size = 16;     ///< Of all ranks together, which share it evenly.
  int nominal_batch = 64;  ///< Gradients of smaller batches are added up to so many images.
  vision::Size size{640, 640};
  std::string device = "cpu";  ///< "cpu", "cuda" or "cuda:1".
  std::uint64_t seed = 0;
  int threads = 0;  ///< 0: all that the process may use.
  int workers = 0;  ///< Threads that make samples; 0: as many as `threads`.
  std::size_t cache_bytes = std::size_t{1} << 30;  ///< For decoded images.
  Teacher teacher = Teacher::labels;
  /// What the distance between the maps that the heads read counts for, student's from teacher's:
  /// see detail/features.h. 0: only heads are compared.
  double feature_gain = 0;
  Method method = Method::sgd;
  bool augment = true;
  bool cosine = true;            ///< Learning rate along a cosine; else along a line.
  bool amp = false;              ///< Convolutions in bfloat16, on CUDA.
  bool batch_statistics = true;  ///< BatchNormalization normalizes by the batch; false: by its
                                 ///< running statistics, which then stay.
  bool learn_scales = false;     ///< Of a Plan; else they stay as calibrated.
  /// Ranges of activations follow those of the batches by so much a step, see
  /// detail/moving_ranges.h; 0: they do not.
  double range_momentum = 0;
  double scale_lr = 1e-3;         ///< Relative step of a learned scale, falling as lr0 does.
  double clip_norm = 10;          ///< Of all gradients together.
  double average_decay = 0.9999;  ///< Of the moving averages, reached after some thousand steps.
  double average_steps = 2000;    ///< How slowly it is reached; see Ultralytics' ModelEMA.
  int evaluate_every = 1;         ///< Epochs; the last one always is. 0: only the last.
  bool skip_bad = false;
  RankPlace place = {};
};

/// What is trained, and on what.
struct Job {
  graph::Graph model;                  ///< Float, raw heads, sizes open.
  detect::Head head;                   ///< Of `model`.
  std::optional<quantize::Plan> plan;  ///< For quantization-aware training.
  std::vector<std::filesystem::path> images;
  std::vector<std::filesystem::path> val_images;  ///< Empty: nothing is measured.
  pipeline::GroundTruth truth;                    ///< Of val_images.
  dataset::Hyperparameters hyp;
  Recipe recipe;
  std::filesystem::path folder;  ///< For last.ckpt, best.ckpt, results.csv.
  bool resume = false;           ///< Go on from folder/last.ckpt.
  bool replace = false;          ///< Another training in the folder makes way.
};

/// Means over the steps so far of an epoch; box, objectness, classes.
using Losses = std::array<double, 3>;

struct StepReport {
  int epoch = 0;
  int epochs = 0;
  std::size_t step = 0;   ///< Done in this epoch.
  std::size_t steps = 0;  ///< In this epoch.
  Losses losses{};
  double images_per_second = 0;
};

struct EpochReport {
  int epoch = 0;
  Losses losses{};
  std::optional<double> ap;  ///< .5:.95, of the moving averages as deployed; none: not measured.
  std::optional<double> ap50;
  double precision = 0;  ///< At the confidence of the best F1, IoU .5.
  double recall = 0;
  std::optional<Losses> val_losses;  ///< Of the moving averages on val_images.
  std::array<double, 3> rates{};     ///< Learning rates of biases, weights, norms, at the end.
  double seconds = 0;
  double images_per_second = 0;  ///< Of training alone.
  bool best = false;
};

struct Watcher {
  std::function<void(const StepReport&)> step;  ///< May throw Error(cancelled).
  std::function<void(const EpochReport&)> epoch;
  std::function<void(std::string_view)> notice;
  /// Told, on a thread of its own, that another rank is gone while this one computes and would not
  /// notice for long. It should end the process: files are whole at any moment. Where it is empty,
  /// train() throws as soon as it next needs the others.
  std::function<void(std::string_view)> lost;
};

struct Result {
  std::vector<EpochReport> epochs;  ///< Those of this run.
  std::filesystem::path last;
  std::filesystem::path best;
  double best_ap = -1;
  int best_epoch = -1;
};

/// For who does much before training starts: what can be said before there is a model.
///
/// @param target  of the plan that will be trained with; empty: none.
/// @throws as train() for a recipe that cannot work.
void check_recipe(const Recipe& recipe, std::string_view target = {});

/// @throws as train() for a device that cannot be used.
void check_device(const std::string& device);

/// @throws Error(not_found) if there is no checkpoint to resume from, Error(bad_argument) if there
///     is a training that must not be replaced.
void check_folder(const std::filesystem::path& folder, bool resume, bool replace);

/// Trains. Losses, weights and files are the same bytes for every run on the same CPU with the same
/// number of threads, also where it was broken off and resumed.
///
/// Several ranks, each with the same job, make the same updates as one would; rank 0 alone
/// measures, calls `notice` and writes. Between machines nothing is encrypted.
///
/// @throws Error(bad_argument) for a recipe or job that cannot work, or a folder that holds another
///     training; Error(unsupported) if the
///     device is not there; Error(bad_value) naming the images of a batch whose loss is no finite
///     number: the last checkpoint is whole and good; Error(backend) if memory runs out, with the
///     batch size that would fit, if the ranks do not all come or if one of them is gone.
Result train(const Job& job, const Watcher& watcher = {});

}  // namespace yoloq::train
