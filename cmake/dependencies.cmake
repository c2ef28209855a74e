# SPDX-License-Identifier: Apache-2.0
# Every library from outside, in one place. tools/setup.sh installs them.

set(YOLOQ_DEPS ${PROJECT_SOURCE_DIR}/.deps CACHE PATH "Folder that tools/setup.sh filled")
set(YOLOQ_PYTHON ${YOLOQ_DEPS}/venv/bin/python CACHE FILEPATH "Python with the test oracles")

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(TBB REQUIRED)
find_package(Eigen3 REQUIRED)
set(BLA_VENDOR OpenBLAS)
find_package(BLAS REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(simdjson REQUIRED)
find_package(Protobuf REQUIRED)
include(cmake/opencv.cmake)
find_package(JPEG REQUIRED)  # libjpeg-turbo, which OpenCV decodes with too.
pkg_check_modules(libzip REQUIRED IMPORTED_TARGET libzip)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_package(CLI11 REQUIRED)

# Debian's yaml-cpp 0.7 exports the target without a namespace.
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()

if(YOLOQ_WITH_OPENVINO)
  file(GLOB openvino_cmake ${YOLOQ_DEPS}/venv/lib/python3*/site-packages/openvino/cmake)
  find_package(OpenVINO REQUIRED COMPONENTS Runtime HINTS ${openvino_cmake})
endif()

set(YOLOQ_TORCH_DIR ${YOLOQ_DEPS}/libtorch/torch CACHE PATH "Folder of LibTorch: include/ and lib/")
if(YOLOQ_WITH_TORCH)
  if(NOT EXISTS ${YOLOQ_TORCH_DIR}/lib/libtorch_cpu.so)
    message(FATAL_ERROR "No LibTorch in ${YOLOQ_TORCH_DIR}: run tools/setup.sh, or leave training out "
                        "with -DYOLOQ_WITH_TORCH=OFF")
  endif()
  include(cmake/torch.cmake)
endif()

set(TENSORRT_ROOT "" CACHE PATH "Folder of TensorRT: builds its runtime in")
set(TENSORRT_RTX_ROOT "" CACHE PATH "Folder of TensorRT-RTX's libraries: builds without a GPU")
if(TENSORRT_ROOT)
  include(cmake/tensorrt.cmake)
endif()

if(YOLOQ_BUILD_TESTS)
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()
if(YOLOQ_BUILD_BENCH)
  find_package(benchmark REQUIRED)
endif()
