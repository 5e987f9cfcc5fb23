# One executable for each folder of GoogleTest suites, which ctest runs in shards. A process for each test would take four
# times as long under a sanitizer. What each test came to is in build/reports/BUILD/SHARD.xml.

find_package(GTest REQUIRED)
enable_testing()

# GoogleTest's own headers take a third of a suite's time to compile. GCC takes what a precompiled header declares for
# code of ours, and warns of the library's.
function(strand_test_options target)
  target_include_directories(${target} PRIVATE test)
  target_compile_definitions(${target} PRIVATE STRAND_TEST_DIR="${PROJECT_SOURCE_DIR}/test")
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h>)
  endif()
  # The core is what is tested as users get it. To optimise the tests takes a third of their time to compile.
  if(NOT MSVC AND NOT STRAND_SANITIZE)
    target_compile_options(${target} PRIVATE -O0)
  endif()
endfunction()

file(GLOB_RECURSE support_sources CONFIGURE_DEPENDS test/support/*.cc)
add_library(strand_test_support STATIC ${support_sources})
strand_test_options(strand_test_support)
target_link_libraries(strand_test_support PRIVATE strand_core strand_options GTest::gmock)

cmake_path(GET PROJECT_BINARY_DIR FILENAME build)
set(reports "${PROJECT_SOURCE_DIR}/build/reports/${build}")
foreach(suite IN ITEMS unit contract model golden stress)
  file(GLOB_RECURSE suite_sources CONFIGURE_DEPENDS test/${suite}/*.cc)
  if(NOT suite_sources)
    continue()
  endif()
  set(target strand_${suite}_tests)
  add_executable(${target} ${suite_sources})
  strand_test_options(${target})
  if(STRAND_UNITY)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    # Templates of the core over a type of its own, which GCC takes for a header's then.
    set_source_files_properties(test/unit/registry/registry_hostile_test.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
  target_link_libraries(
    ${target} PRIVATE strand_test_support strand_core strand_options GTest::gmock GTest::gtest_main
  )
  if(suite STREQUAL "unit")
    set(shards 8)
  elseif(suite STREQUAL "contract")
    set(shards 2)
  else()
    set(shards 1)
  endif()
  math(EXPR last "${shards} - 1")
  foreach(shard RANGE ${last})
    set(name ${suite}.${shard})
    add_test(NAME ${name} COMMAND ${target} --gtest_output=xml:${reports}/${name}.xml)
    # Stress needs the processors for itself.
    set_tests_properties(
      ${name}
      PROPERTIES LABELS ${suite}
                 TIMEOUT 600
                 RUN_SERIAL $<STREQUAL:${suite},stress>
                 ENVIRONMENT "GTEST_TOTAL_SHARDS=${shards};GTEST_SHARD_INDEX=${shard}"
    )
  endforeach()
endforeach()


# A module with a core of its own: copies of it are further images in the process (test/unit/wait/image_probe.h).
if(TARGET strand_unit_tests)
  add_library(strand_image_probe MODULE test/unit/wait/image_probe.cc)
  target_include_directories(strand_image_probe PRIVATE test)
  target_link_libraries(strand_image_probe PRIVATE strand_core strand_options)
  # It names what is the core's without the core's namespace.
  set_source_files_properties(test/unit/wait/image_probe.cc PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  add_dependencies(strand_unit_tests strand_image_probe)
  target_compile_definitions(strand_unit_tests PRIVATE STRAND_IMAGE_PROBE="$<TARGET_FILE:strand_image_probe>")
endif()
