// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace yoloq::runtime {

/// True if the CPU adds up products of 8-bit integers in 32 bits: AVX512-VNNI or AVX-VNNI, switched
/// on by the operating system.
///
/// An x86 CPU without them has vpmaddubsw, which adds each two products in 16 bits and saturates:
///
///     255 * 127 + 255 * 127 = 64770, but 32767 comes out
///
/// True on CPUs other than x86: their kernels are not known to saturate.
///
/// Source: Intel, "Software Developer's Manual", volume 2A, CPUID leaf 7: sub-leaf 0, ECX bit 11
/// (AVX512_VNNI); sub-leaf 1, EAX bit 4 (AVX-VNNI). AMX-INT8 does not count: OpenVINO's kernels use
/// it only beside AVX512-VNNI.
bool has_int8_dot_product();

}  // namespace yoloq::runtime
