# SPDX-License-Identifier: Apache-2.0
# Versions of TensorRT's headers that a test compiles the sources with:
#
#   -DTENSORRT_HEADERS=DIR;...   each a folder with NvInfer.h and NvOnnxParser.h, a folder whose
#                                include/ has them, or a folder of such folders
#
# Sets tensorrt_headers: the folders with NvInfer.h, joined by ':'.
set(TENSORRT_HEADERS "" CACHE STRING "Folders of TensorRT's headers, one version each, to test with")

set(tensorrt_headers "")
foreach(folder IN LISTS TENSORRT_HEADERS)
  file(GLOB found ${folder}/NvInfer.h ${folder}/include/NvInfer.h ${folder}/*/include/NvInfer.h)
  if(NOT found)
    message(FATAL_ERROR "TENSORRT_HEADERS: no NvInfer.h in ${folder}, its include/ or */include/")
  endif()
  foreach(header IN LISTS found)
    cmake_path(GET header PARENT_PATH include)
    list(APPEND tensorrt_headers ${include})
  endforeach()
endforeach()
if(tensorrt_headers)
  find_package(CUDAToolkit REQUIRED)
  list(REMOVE_DUPLICATES tensorrt_headers)
  list(SORT tensorrt_headers COMPARE NATURAL)
  list(JOIN tensorrt_headers ":" tensorrt_headers)
endif()
