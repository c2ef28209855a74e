# SPDX-License-Identifier: Apache-2.0
# One target, yoloq::opencv: the core, imgproc and imgcodecs modules of OpenCV 4.
#
# Debian keeps OpenCVConfig.cmake in libopencv-dev, which pulls in the whole of OpenCV with VTK and
# Qt (over a gigabyte); the three -dev packages alone have headers and libraries only.
add_library(yoloq_opencv INTERFACE)
add_library(yoloq::opencv ALIAS yoloq_opencv)
find_package(OpenCV QUIET COMPONENTS core imgproc imgcodecs)
if(OpenCV_FOUND)
  target_link_libraries(yoloq_opencv INTERFACE ${OpenCV_LIBS})
  target_include_directories(yoloq_opencv SYSTEM INTERFACE ${OpenCV_INCLUDE_DIRS})
else()
  find_path(YOLOQ_OPENCV_INCLUDE opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4 REQUIRED)
  target_include_directories(yoloq_opencv SYSTEM INTERFACE ${YOLOQ_OPENCV_INCLUDE})
  foreach(part core imgproc imgcodecs)
    find_library(YOLOQ_OPENCV_${part} opencv_${part} REQUIRED)
    target_link_libraries(yoloq_opencv INTERFACE ${YOLOQ_OPENCV_${part}})
  endforeach()
endif()
