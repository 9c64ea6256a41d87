// Comes before every file that is compiled for ThreadSanitizer, see PresenceThreadSanitizer.cmake.
#ifndef PRESENCE_CMAKE_TSAN_PRELUDE_H_
#define PRESENCE_CMAKE_TSAN_PRELUDE_H_

#include <version>

#include "absl/base/config.h"

#if !defined(_GLIBCXX_TSAN) || !defined(ABSL_HAVE_THREAD_SANITIZER)
#error "libstdc++ and abseil were to see ThreadSanitizer"
#endif
#undef __SANITIZE_THREAD__

#endif  // PRESENCE_CMAKE_TSAN_PRELUDE_H_
