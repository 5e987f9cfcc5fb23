# One executable for each folder of GoogleTest suites; ctest knows every test by name and by its folder's label.

find_package(GTest REQUIRED)
include(GoogleTest)
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

foreach(suite IN ITEMS unit contract model golden stress)
  file(GLOB_RECURSE suite_sources CONFIGURE_DEPENDS test/${suite}/*.cc)
  if(NOT suite_sources)
    continue()
  endif()
  set(target strand_${suite}_tests)
  add_executable(${target} ${suite_sources})
  strand_test_options(${target})
  target_link_libraries(
    ${target} PRIVATE strand_test_support strand_core strand_options GTest::gmock GTest::gtest_main
  )
  if(suite STREQUAL "stress")
    set(serial TRUE)
  else()
    set(serial FALSE)
  endif()
  gtest_discover_tests(
    ${target}
    TEST_PREFIX "${suite}."
    DISCOVERY_MODE PRE_TEST
    DISCOVERY_TIMEOUT 60
    PROPERTIES LABELS ${suite} TIMEOUT 600 RUN_SERIAL ${serial}
  )
endforeach()


# A module with a core of its own: copies of it are further images in the process (test/unit/wait/image_probe.h).
if(TARGET strand_unit_tests)
  add_library(strand_image_probe MODULE test/unit/wait/image_probe.cc)
  target_link_libraries(strand_image_probe PRIVATE strand_core strand_options)
  add_dependencies(strand_unit_tests strand_image_probe)
  target_compile_definitions(strand_unit_tests PRIVATE STRAND_IMAGE_PROBE="$<TARGET_FILE:strand_image_probe>")
endif()
