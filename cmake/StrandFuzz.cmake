# One libFuzzer target for each file of test/fuzz/: <name>.cc, with seeds in test/fuzz/corpus/<name>/ and a
# dictionary in test/fuzz/<name>.dict where they exist. What a run finds is kept in the build directory.

enable_testing()
file(GLOB fuzz_sources CONFIGURE_DEPENDS test/fuzz/*.cc)

foreach(source IN LISTS fuzz_sources)
  cmake_path(GET source STEM name)
  set(target strand_fuzz_${name})
  add_executable(${target} "${source}" test/support/exercise.cc)
  target_include_directories(${target} PRIVATE test)
  target_link_libraries(${target} PRIVATE strand_core strand_options)
  target_link_options(${target} PRIVATE -fsanitize=fuzzer)

  set(found "${PROJECT_BINARY_DIR}/corpus/${name}")
  file(MAKE_DIRECTORY "${found}")
  set(arguments -max_total_time=${STRAND_FUZZ_SECONDS} -timeout=10 -print_final_stats=1
                "-artifact_prefix=${PROJECT_BINARY_DIR}/${name}-")
  if(EXISTS "${PROJECT_SOURCE_DIR}/test/fuzz/${name}.dict")
    list(APPEND arguments "-dict=${PROJECT_SOURCE_DIR}/test/fuzz/${name}.dict")
  endif()
  list(APPEND arguments "${found}")
  if(IS_DIRECTORY "${PROJECT_SOURCE_DIR}/test/fuzz/corpus/${name}")
    list(APPEND arguments "${PROJECT_SOURCE_DIR}/test/fuzz/corpus/${name}")
  endif()
  add_test(NAME fuzz.${name} COMMAND ${target} ${arguments})
  math(EXPR limit "${STRAND_FUZZ_SECONDS} + 120")
  set_tests_properties(fuzz.${name} PROPERTIES LABELS fuzz TIMEOUT ${limit})
endforeach()
