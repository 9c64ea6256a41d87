# ThreadSanitizer learns what absl::Mutex orders from annotations in abseil, which Debian's build leaves out.
# So its preset builds Debian's abseil once more, with them, and everything, libgrpc too, takes that one.
if(NOT PRESENCE_SANITIZE STREQUAL "thread")
  return()
endif()

set(tsan_abseil ${CMAKE_BINARY_DIR}/abseil)
message(STATUS "Building Debian's abseil for ThreadSanitizer, if that is not done yet: ${tsan_abseil}")
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/cmake/abseil-for-tsan.sh ${tsan_abseil} COMMAND_ERROR_IS_FATAL ANY)
set(absl_DIR ${tsan_abseil}/lib/cmake/absl CACHE PATH "abseil with annotations" FORCE)
# An old-style rpath also rules where the libraries of a library are looked for.
add_link_options(-Wl,--disable-new-dtags)

# Seeing the sanitizer, protobuf's headers add a field to every map, also to those of Debian's libprotobuf, which
# was built without: what follows them would overlap. abseil and libstdc++ must see it.
add_compile_options("$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include ${CMAKE_SOURCE_DIR}/cmake/tsan_prelude.h>")
# Fences are not understood; Asio's are not needed where its queue's mutex orders the same.
add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
