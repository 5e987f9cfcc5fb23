# strand_options: warnings, for our own sources only.
# strand_sanitizers: instrumentation, which everything that links the core must share.

add_library(strand_options INTERFACE)
add_library(strand_sanitizers INTERFACE)

if(MSVC)
  target_compile_options(strand_options INTERFACE /W4 /permissive- $<$<BOOL:${STRAND_WERROR}>:/WX>)
else()
  target_compile_options(
    strand_options
    INTERFACE -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow
              $<$<BOOL:${STRAND_WERROR}>:-Werror>
  )
endif()

if(STRAND_SANITIZE)
  set(instrumentation "-fsanitize=${STRAND_SANITIZE}" -fno-sanitize-recover=all)
  # Frame pointers and some optimisation: readable stacks at a bearable speed.
  target_compile_options(strand_sanitizers INTERFACE ${instrumentation} -fno-omit-frame-pointer -g1 -O1)
  target_link_options(strand_sanitizers INTERFACE ${instrumentation})
endif()
if(STRAND_BUILD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "STRAND_BUILD_FUZZ needs clang (libFuzzer): configure with the preset 'fuzz'")
  endif()
  target_compile_options(strand_sanitizers INTERFACE -fsanitize=fuzzer-no-link)
endif()
