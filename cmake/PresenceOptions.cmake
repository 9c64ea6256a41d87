# Language, warnings and sanitizers, the same for every room.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

option(PRESENCE_TESTS "Build tests" ON)
option(PRESENCE_BENCH "Build benchmarks" OFF)
option(PRESENCE_FUZZ "Build libFuzzer targets (needs clang)" OFF)
option(PRESENCE_TIDY "Run clang-tidy on rooms as they are compiled (needs clang)" OFF)
set(PRESENCE_SANITIZE "" CACHE STRING "Value for -fsanitize=, such as address,undefined")
set(PRESENCE_TIMEOUT_FACTOR 1 CACHE STRING "How many times as long as at -O0 without a sanitizer a test may take")

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  # Paths are hashed relative to the checkout, so a second build directory reuses the first one's objects.
  set(CMAKE_CXX_COMPILER_LAUNCHER
      ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE_PROGRAM})
endif()

# Warnings for our own code; generated code is compiled with presence_generated instead.
add_library(presence_warnings INTERFACE)
target_compile_options(presence_warnings INTERFACE
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual
  -Wimplicit-fallthrough -Werror)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  target_compile_options(presence_warnings INTERFACE -Wthread-safety)
endif()

if(PRESENCE_SANITIZE)
  add_compile_options(-fsanitize=${PRESENCE_SANITIZE} -fno-omit-frame-pointer
                      -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PRESENCE_SANITIZE})
  # An index past a view's end, or the value of an empty optional: still valid memory, so no sanitizer sees it.
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()

if(PRESENCE_FUZZ)
  # Without coverage in the rooms under test, libFuzzer finds no input interesting and exits.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()
