# SPDX-License-Identifier: Apache-2.0
# One static library per folder of src/, one test program per folder of tests/.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)

# ccache takes sources that include a precompiled header only if it may trust that header's hash.
find_program(YOLOQ_CCACHE ccache)
if(YOLOQ_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
      ${YOLOQ_CCACHE})
endif()

add_library(yoloq_options INTERFACE)
target_compile_features(yoloq_options INTERFACE cxx_std_20)
# Leaving members to their defaults is what designated initializers are for; g++ 12 warns of it.
target_compile_options(yoloq_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow
                                               -Wno-missing-field-initializers)
target_compile_definitions(yoloq_options INTERFACE YOLOQ_VERSION="${PROJECT_VERSION}")
# Of several sources as one, g++ warns of what is fine in each alone.
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(yoloq_options INTERFACE -Wno-subobject-linkage -Wno-maybe-uninitialized)
endif()

# yoloq_module(<name> SOURCES <file>... [DEPENDS <target>...] [PRIVATE_DEPENDS <target>...])
function(yoloq_module name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  add_library(yoloq_${name} STATIC ${arg_SOURCES})
  add_library(yoloq::${name} ALIAS yoloq_${name})
  target_include_directories(yoloq_${name} PUBLIC ${PROJECT_SOURCE_DIR}/src)
  target_link_libraries(
    yoloq_${name}
    PUBLIC ${arg_DEPENDS}
    PRIVATE $<BUILD_INTERFACE:yoloq_options> ${arg_PRIVATE_DEPENDS})
  target_compile_features(yoloq_${name} PUBLIC cxx_std_20)
endfunction()

# What test programs are compiled with. Most of their code is expectations, which an optimizer only
# takes long over; what they test is compiled as it is released.
add_library(yoloq_test_options INTERFACE)
target_compile_options(yoloq_test_options INTERFACE $<$<CONFIG:Release>:-O1> $<$<CONFIG:Debug>:-O0>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  target_compile_options(yoloq_test_options INTERFACE -fpch-preprocess)  # For ccache.
endif()

# Builds what `ctest -L unit` runs.
add_custom_target(unit_tests)

# yoloq_test(<name> SOURCES <file>... [DEPENDS <target>...] [LABELS <label>...] [HEADERS <target>]
#            [EACH])
#
# A program is one test of ctest, so that its cases share what they load and make: a process for
# each took pipeline_test 25 times as long. `<name>_test --gtest_filter=...` runs single cases. EACH
# makes every case a test of its own, for cases that start processes and wait for them. HEADERS is
# whose precompiled headers are used: see tests/support.
#
# Tests that need an independent oracle run ${YOLOQ_PYTHON}; tests that need real weights and
# images look for ../shared/data or $YOLOQ_DATA (see tests/support/data.h) and skip without it.
function(yoloq_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "EACH" "HEADERS" "SOURCES;DEPENDS;LABELS")
  if(NOT arg_HEADERS)
    set(arg_HEADERS yoloq_test_headers)
  endif()
  add_executable(${name}_test ${arg_SOURCES})
  target_include_directories(${name}_test PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(
    ${name}_test PRIVATE YOLOQ_SOURCE_DIR="${PROJECT_SOURCE_DIR}"
                         YOLOQ_PYTHON="${YOLOQ_PYTHON}")
  target_link_libraries(${name}_test PRIVATE ${arg_DEPENDS} yoloq::test_support yoloq_options
                                             yoloq_test_options GTest::gmock_main)
  target_precompile_headers(${name}_test REUSE_FROM ${arg_HEADERS})
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
    add_dependencies(unit_tests ${name}_test)
  endif()
  # OpenVINO's TBB opens a library in a way that AddressSanitizer refuses, unless told of it.
  set(properties LABELS "${arg_LABELS}" ENVIRONMENT TBB_ENABLE_SANITIZERS=1)
  if(arg_EACH)
    gtest_discover_tests(${name}_test TEST_PREFIX "${name}/" DISCOVERY_TIMEOUT 60
                         PROPERTIES ${properties})
  else()
    add_test(NAME ${name} COMMAND ${name}_test)
    set_tests_properties(${name} PROPERTIES ${properties})
  endif()
endfunction()
