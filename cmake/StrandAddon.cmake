# The Node.js addon: prebuilds/<platform>-<arch>[-musl].node, where lib/native.ts looks for it.

file(GLOB_RECURSE binding_sources CONFIGURE_DEPENDS binding/*.cc)
if(NOT binding_sources)
  message(STATUS "binding/ holds no .cc file: there is no target strand_addon")
  return()
endif()
if(WIN32)
  message(FATAL_ERROR "The addon is not built for Windows yet; STRAND_BUILD_ADDON=OFF builds the core alone")
endif()

find_program(NODE_EXECUTABLE node REQUIRED)

function(ask_node expression result)
  execute_process(
    COMMAND "${NODE_EXECUTABLE}" -p "${expression}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    OUTPUT_VARIABLE answer
    OUTPUT_STRIP_TRAILING_WHITESPACE
    COMMAND_ERROR_IS_FATAL ANY
  )
  set(${result} "${answer}" PARENT_SCOPE)
endfunction()

# Both packages may answer with a path relative to the working directory.
ask_node("require('path').resolve(require('node-api-headers').include_dir)" node_api_headers)
ask_node("require('path').resolve(require('node-addon-api').include_dir)" node_addon_api)
ask_node("\
const musl = process.platform === 'linux' && !process.report.getReport().header.glibcVersionRuntime;\
process.platform + '-' + process.arch + (musl ? '-musl' : '')" prebuild_name)

# One place for the addon, whatever the build directory, so that a forgotten second build is never loaded.
# A sanitized addon loads only with the sanitizer's runtime preloaded, so it lives in its own package copy.
if(STRAND_SANITIZE)
  set(prebuild_directory "${PROJECT_BINARY_DIR}/package/prebuilds")
else()
  set(prebuild_directory "${PROJECT_SOURCE_DIR}/prebuilds")
endif()

# STRAND_ABI is a hash of src/ and binding/. lib/native.ts compares it with the one in dist/abi.json. The script
# runs on every build and touches the header only when the hash has changed.
set(abi_header "${PROJECT_BINARY_DIR}/generated/strand_abi.h")
set(abi_command "${NODE_EXECUTABLE}" "${PROJECT_SOURCE_DIR}/scripts/source_hash.mjs" --header "${abi_header}")
execute_process(COMMAND ${abi_command} COMMAND_ERROR_IS_FATAL ANY)
add_custom_target(strand_abi COMMAND ${abi_command} BYPRODUCTS "${abi_header}" VERBATIM)

add_library(strand_addon MODULE ${binding_sources})
add_dependencies(strand_addon strand_abi)
target_link_libraries(strand_addon PRIVATE strand_core strand_options)
target_include_directories(strand_addon PRIVATE binding "${PROJECT_BINARY_DIR}/generated")
target_include_directories(strand_addon SYSTEM PRIVATE "${node_api_headers}" "${node_addon_api}")
target_compile_definitions(
  strand_addon PRIVATE NAPI_VERSION=8 NODE_ADDON_API_DISABLE_DEPRECATED NAPI_DISABLE_CPP_EXCEPTIONS
                       # Calls into the engine fail while a worker is terminated; that ends no process.
                       NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS
)
target_compile_options(strand_addon PRIVATE -fno-exceptions)
set_target_properties(
  strand_addon PROPERTIES PREFIX "" SUFFIX ".node" OUTPUT_NAME "${prebuild_name}"
                          LIBRARY_OUTPUT_DIRECTORY "${prebuild_directory}"
)
if(APPLE)
  target_link_options(strand_addon PRIVATE -undefined dynamic_lookup)
else()
  # Node unloads an addon with the last environment that uses it; process-wide state and threads must outlive that.
  target_link_options(strand_addon PRIVATE -Wl,-z,nodelete)
endif()
