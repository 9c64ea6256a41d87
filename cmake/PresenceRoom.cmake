# A room is one static library in one folder. Sources are listed, never globbed; DEPS are the rooms and
# libraries it may use, and tests/architecture checks that the includes agree with the map.
#
#   presence_room(presence_core_model SOURCES etag.cc ... DEPS absl::strings)
function(presence_room name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  if(ARG_SOURCES)
    add_library(${name} STATIC ${ARG_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${ARG_DEPS} PRIVATE presence_warnings ${ARG_PRIVATE_DEPS})
    presence_tidy(${name})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${ARG_DEPS})
  endif()
endfunction()

#   presence_test(model_test SOURCES etag_test.cc ... DEPS presence_core_model [LABELS unit])
# RUNNER is a program that the tests run under.
# One binary per room's tests; ctest lists every TEST by itself so that none depends on another's order.
function(presence_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT;RUNNER" "SOURCES;DEPS;LABELS" ${ARGN})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 120)
  endif()
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} presence_warnings GTest::gmock_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  add_test(NAME ${name} COMMAND ${ARG_RUNNER} $<TARGET_FILE:${name}> WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES LABELS "${ARG_LABELS}")
  presence_timeout(${name} ${ARG_TIMEOUT})
endfunction()

#   presence_timeout(model_test 120)
# Seconds after which ctest ends a test. A preset whose programs are slower has a factor, so that no test needs to know.
function(presence_timeout name seconds)
  math(EXPR granted "${seconds} * ${PRESENCE_TIMEOUT_FACTOR}")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${granted})
endfunction()

#   presence_fuzz(pidf_fuzz SOURCES pidf_fuzz.cc DEPS presence_core_packages)
# A libFuzzer target under PRESENCE_FUZZ (clang). In every build the same source also becomes a test that
# replays the committed corpus tests/fuzz/corpus/<name>/, through tests/fuzz/replay_main.cc.
function(presence_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  if(PRESENCE_FUZZ)
    add_executable(${name} ${ARG_SOURCES})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    target_link_libraries(${name} PRIVATE ${ARG_DEPS} presence_warnings)
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  endif()
  if(PRESENCE_TESTS)
    add_executable(${name}_replay ${ARG_SOURCES} ${CMAKE_SOURCE_DIR}/tests/fuzz/replay_main.cc)
    target_link_libraries(${name}_replay PRIVATE ${ARG_DEPS} presence_warnings)
    set_target_properties(${name}_replay PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${name}_replay
             COMMAND ${name}_replay ${CMAKE_SOURCE_DIR}/tests/fuzz/corpus/${name})
    set_tests_properties(${name}_replay PROPERTIES LABELS "fuzz")
    presence_timeout(${name}_replay 120)
  endif()
endfunction()

#   presence_program(presence-core MAIN main.cc DEPS presence_core_server)
# What users start: one main file, linked with the allocator that cross-thread frees need.
function(presence_program name)
  cmake_parse_arguments(ARG "" "MAIN" "DEPS" ${ARGN})
  add_executable(${name} ${ARG_MAIN})
  target_compile_definitions(${name} PRIVATE PRESENCE_VERSION="${PROJECT_VERSION}")
  presence_tidy(${name})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} presence_warnings)
  if(TARGET PkgConfig::JEMALLOC)
    target_link_libraries(${name} PRIVATE -Wl,--no-as-needed PkgConfig::JEMALLOC -Wl,--as-needed)
  endif()
endfunction()

# Under PRESENCE_TIDY a source also goes through clang-tidy whenever it is compiled, so only what changed is looked at
# again. Rooms and programs; not tests, whose macros are not ours, nor what protoc writes.
function(presence_tidy name)
  if(PRESENCE_TIDY)
    set_target_properties(${name} PROPERTIES CXX_CLANG_TIDY "clang-tidy-14;--quiet")
  endif()
endfunction()
