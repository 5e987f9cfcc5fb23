# One executable for each file of bench/core/, in <build>/bench/. Files that use Google Benchmark are left out
# where it is not installed.

find_package(benchmark QUIET)
add_custom_target(strand_bench)
file(GLOB bench_sources CONFIGURE_DEPENDS bench/core/*.cc)

foreach(source IN LISTS bench_sources)
  cmake_path(GET source STEM name)
  file(STRINGS "${source}" google_benchmark REGEX "#include <benchmark/benchmark\\.h>")
  if(google_benchmark AND NOT benchmark_FOUND)
    message(STATUS "bench/core/${name}.cc is left out: Google Benchmark (libbenchmark-dev) is not installed")
    continue()
  endif()
  set(target strand_bench_${name})
  add_executable(${target} "${source}")
  target_include_directories(${target} PRIVATE bench/core)
  target_link_libraries(${target} PRIVATE strand_core strand_options)
  if(google_benchmark)
    target_link_libraries(${target} PRIVATE benchmark::benchmark)
  endif()
  set_target_properties(
    ${target} PROPERTIES OUTPUT_NAME "${name}" RUNTIME_OUTPUT_DIRECTORY "${PROJECT_BINARY_DIR}/bench"
  )
  add_dependencies(strand_bench ${target})
endforeach()
