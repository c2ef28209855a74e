# SPDX-License-Identifier: Apache-2.0
# One target, yoloq_torch: LibTorch, linked as torch_cpu and c10, since the wheel's own CMake files
# want the whole of CUDA.
#
#   -DYOLOQ_TORCH_DIR=DIR   the folder with include/ and lib/: of the PyPI wheel or a LibTorch archive
#
# The CUDA half is not linked: it is opened when a GPU is asked for.

add_library(yoloq_torch INTERFACE)
# Behind the system's folders: the wheel brings headers of fmt and protobuf of its own, which would
# hide the ones that are linked.
target_compile_options(
  yoloq_torch INTERFACE "SHELL:-idirafter ${YOLOQ_TORCH_DIR}/include"
                        "SHELL:-idirafter ${YOLOQ_TORCH_DIR}/include/torch/csrc/api/include")
target_link_libraries(yoloq_torch INTERFACE ${YOLOQ_TORCH_DIR}/lib/libtorch_cpu.so
                                            ${YOLOQ_TORCH_DIR}/lib/libc10.so Threads::Threads)
# The names of Gloo that c10d's headers mention, for who exchanges between processes.
add_library(yoloq_gloo INTERFACE)
target_compile_options(yoloq_gloo INTERFACE "SHELL:-idirafter ${PROJECT_SOURCE_DIR}/cmake/gloo")
# What libtorch_cpu.so of the CUDA wheel needs; at run time its own run path finds them there.
foreach(folder ${YOLOQ_TORCH_DIR}/../nvidia/cu13/lib /usr/local/cuda/lib64)
  if(EXISTS ${folder}/libcudart.so.13)
    target_link_options(yoloq_torch INTERFACE -Wl,-rpath-link,${folder} -Wl,-rpath,${folder})
  endif()
endforeach()
