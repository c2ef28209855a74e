# SPDX-License-Identifier: Apache-2.0
# One target, yoloq_tensorrt: TensorRT's headers and CUDA's runtime. The libraries of TensorRT are
# opened when they are first used, so nothing of them is linked.
#
#   -DTENSORRT_ROOT=DIR   DIR/include with NvInfer.h and NvOnnxParser.h, DIR/lib with the libraries
#   -DTENSORRT_RTX_ROOT=DIR   besides: run with TensorRT-RTX's libraries in DIR, a stand-in that
#                         builds plans on a machine without a GPU (headers of TensorRT 11 only)
enable_language(CUDA)
find_package(CUDAToolkit REQUIRED)
find_path(YOLOQ_TENSORRT_INCLUDE NvInfer.h HINTS ${TENSORRT_ROOT}/include NO_DEFAULT_PATH REQUIRED)
find_path(YOLOQ_TENSORRT_PARSER_INCLUDE NvOnnxParser.h HINTS ${TENSORRT_ROOT}/include
                                                             NO_DEFAULT_PATH REQUIRED)
file(STRINGS ${YOLOQ_TENSORRT_INCLUDE}/NvInferVersion.h major
     REGEX "#define (NV_TENSORRT_MAJOR|TRT_MAJOR_ENTERPRISE) [0-9]+")
string(REGEX REPLACE ".*(NV_TENSORRT_MAJOR|TRT_MAJOR_ENTERPRISE) ([0-9]+).*" "\\2" major "${major}")
if(major LESS 8)
  message(FATAL_ERROR "TensorRT ${major} in ${TENSORRT_ROOT} is too old: 8.5 or later is needed")
endif()

if(TENSORRT_RTX_ROOT)
  file(GLOB library ${TENSORRT_RTX_ROOT}/libtensorrt_rtx.so.1*)
  file(GLOB parser ${TENSORRT_RTX_ROOT}/libtensorrt_onnxparser_rtx.so.1*)
  list(GET library 0 library)
  list(GET parser 0 parser)
  set(stand_in true)
else()
  set(library libnvinfer.so.${major})
  set(parser libnvonnxparser.so.${major})
  set(stand_in false)
endif()

add_library(yoloq_tensorrt INTERFACE)
target_include_directories(yoloq_tensorrt SYSTEM INTERFACE ${YOLOQ_TENSORRT_INCLUDE})
target_link_libraries(yoloq_tensorrt INTERFACE CUDA::cudart_static ${CMAKE_DL_LIBS})
set(YOLOQ_TENSORRT_DEFINITIONS YOLOQ_TENSORRT_LIBRARY="${library}" YOLOQ_TENSORRT_PARSER="${parser}"
                               YOLOQ_TENSORRT_STAND_IN=${stand_in})
set(CMAKE_BUILD_RPATH ${TENSORRT_ROOT}/lib ${TENSORRT_RTX_ROOT})
message(STATUS "TensorRT ${major} in ${TENSORRT_ROOT}")
