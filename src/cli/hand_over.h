// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Two programs from the same sources: `yoloq`, which starts at once, and `yoloq-torch` beside it,
/// which takes half a second to load LibTorch. The first becomes the second where that is needed.

namespace yoloq::cli {

/// True in a program that LibTorch is linked into.
bool has_torch();

/// True if the command line asks for what only LibTorch does: train, qat or --backend torch.
bool needs_torch(int argc, char** argv);

/// Replaces this process by yoloq-torch with the same arguments.
///
/// @throws Error(unsupported) if it is not there.
[[noreturn]] void hand_over(char** argv);

}  // namespace yoloq::cli
