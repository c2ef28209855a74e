# SPDX-License-Identifier: Apache-2.0
# One target, yoloq_torch: LibTorch, linked as torch_cpu and c10, since the wheel's own CMake files
# want the whole of CUDA.
#
#   -DYOLOQ_TORCH_DIR=DIR   the folder with include/ and lib/: of the PyPI wheel or a LibTorch archive
#   -DYOLOQ_TORCH_CUDA=ON   link its CUDA half as well; the libraries it needs must be there
option(YOLOQ_TORCH_CUDA "Link the CUDA half of LibTorch" OFF)

add_library(yoloq_torch INTERFACE)
target_include_directories(
  yoloq_torch SYSTEM INTERFACE ${YOLOQ_TORCH_DIR}/include
                               ${YOLOQ_TORCH_DIR}/include/torch/csrc/api/include)
target_link_libraries(yoloq_torch INTERFACE ${YOLOQ_TORCH_DIR}/lib/libtorch_cpu.so
                                            ${YOLOQ_TORCH_DIR}/lib/libc10.so Threads::Threads)
if(YOLOQ_TORCH_CUDA)
  # Nothing refers to them by name: their kernels register themselves when they are loaded.
  target_link_options(
    yoloq_torch INTERFACE -Wl,--no-as-needed ${YOLOQ_TORCH_DIR}/lib/libtorch_cuda.so
    ${YOLOQ_TORCH_DIR}/lib/libc10_cuda.so -Wl,--as-needed)
endif()

# What libtorch_cpu.so of the CUDA wheel needs; at run time its own run path finds them there.
foreach(folder ${YOLOQ_TORCH_DIR}/../nvidia/cu13/lib /usr/local/cuda/lib64)
  if(EXISTS ${folder}/libcudart.so.13)
    target_link_options(yoloq_torch INTERFACE -Wl,-rpath-link,${folder} -Wl,-rpath,${folder})
  endif()
endforeach()
