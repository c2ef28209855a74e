// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace yoloq::dataset {

/// How to train and to augment: the keys, meanings and defaults of Ultralytics' hyp files, whose
/// hyp.scratch-low.yaml these are.
struct Hyperparameters {
  double lr0 = 0.01;             ///< Learning rate at the beginning.
  double lrf = 0.01;             ///< That at the end as a part of lr0.
  double momentum = 0.937;       ///< Of SGD, or beta1 of Adam.
  double weight_decay = 5e-4;    ///< Of convolutions' weights.
  double warmup_epochs = 3;      ///< May be a part of one.
  double warmup_momentum = 0.8;  ///< Momentum at the beginning of the warm-up.
  double warmup_bias_lr = 0.1;   ///< Learning rate of biases at the beginning of the warm-up.
  double box = 0.05;             ///< Weight of the box loss.
  double cls = 0.5;              ///< Weight of the class loss.
  double cls_pw = 1;             ///< Weight of its positives.
  double obj = 1;                ///< Weight of the objectness loss.
  double obj_pw = 1;             ///< Weight of its positives.
  double iou_t = 0.2;            ///< Not used by Ultralytics' code either.
  double anchor_t = 4;           ///< A box belongs to an anchor that is at most so many times
                                 ///< larger or smaller.
  double fl_gamma = 0;           ///< Of the focal loss; 0: plain cross entropy.
  double label_smoothing = 0;    ///< A flag of Ultralytics' train.py.
  double hsv_h = 0.015;          ///< Hue varies by this part.
  double hsv_s = 0.7;            ///< Saturation varies by this part.
  double hsv_v = 0.4;            ///< Brightness varies by this part.
  double degrees = 0;            ///< Rotation to both sides.
  double translate = 0.1;        ///< Shift to all sides, part of the canvas.
  double scale = 0.5;            ///< Size varies by this part.
  double shear = 0;              ///< In degrees to all sides.
  double perspective = 0;        ///< Per pixel, 0 to 0.001.
  double flipud = 0;             ///< Probability of upside down.
  double fliplr = 0.5;           ///< Probability of left for right.
  double mosaic = 1;             ///< Probability of four images on one canvas.
  double mixup = 0;              ///< Probability of two mosaics over one another.
  double copy_paste = 0;         ///< Probability of pasted objects; needs outlines: unused.

  friend bool operator==(const Hyperparameters&, const Hyperparameters&) = default;
};

/// Reads a hyp file's text. Keys that it lacks keep their defaults; keys that yoloq does not know
/// are left alone, as Ultralytics' files carry some (check_hyperparameters() lists them).
///
/// @param name  the file, for messages.
/// @throws Error(corrupt_file) with file and line if it is no yaml of keys and values, or a known
/// key has no number, comes twice or is out of its range.
Hyperparameters parse_hyperparameters(std::string_view yaml, const std::string& name);

/// parse_hyperparameters() of a file, or, where there is none, of the built-in file of that name.
///
/// @throws Error(not_found) with the built-in names if it is neither.
Hyperparameters read_hyperparameters(const std::filesystem::path& file);

/// The text of a file or of the built-in file of that name.
///
/// @throws as read_hyperparameters().
std::string hyperparameters_text(const std::filesystem::path& file);

/// hyp.scratch.yaml, hyp.scratch-low.yaml, hyp.finetune.yaml and hyp.qat.yaml.
std::vector<std::string> builtin_hyperparameters();

/// All keys; read again, it gives the same numbers.
std::string to_yaml(const Hyperparameters& hyperparameters);

/// Something about a hyp file that its author may not expect.
struct HypFinding {
  enum class Kind {
    unknown,       ///< yoloq has no such key; `what` names a similar one, if any.
    out_of_range,  ///< No number, or outside its range: parse_hyperparameters() refuses it.
    unused,        ///< Known, but it changes nothing here.
    missing,       ///< Not in the file: the default holds.
  };

  Kind kind = Kind::unknown;
  std::string key = {};
  std::string where = {};  ///< "hyp.yaml:12"; the file alone for what is missing.
  std::string what = {};   ///< A sentence.

  /// True if training would not start.
  bool fatal() const { return kind == Kind::out_of_range; }

  friend bool operator==(const HypFinding&, const HypFinding&) = default;
};

/// "unknown", "out of range", "unused", "missing".
std::string_view name_of(HypFinding::Kind kind);

/// Everything that there is to say about a hyp file, in its order; then what it lacks.
///
/// @throws Error(corrupt_file) with file and line if it is no yaml of keys and values.
std::vector<HypFinding> check_hyperparameters(std::string_view yaml, const std::string& name);

}  // namespace yoloq::dataset
