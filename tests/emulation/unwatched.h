// What the emulation itself does to memory while a thread of a grid runs is no race of the kernel.
#pragma once

#if defined(SLIPWAY_TSAN_FIBERS)
// Of libtsan, declared in no header.
extern "C" void AnnotateIgnoreWritesBegin(const char* file, int line);
extern "C" void AnnotateIgnoreWritesEnd(const char* file, int line);
#endif

namespace slipway::emulation {

/// ThreadSanitizer passes over accesses during its life; the fiber must not be left then.
class Unwatched final {
 public:
#if defined(SLIPWAY_TSAN_FIBERS)
  Unwatched() { AnnotateIgnoreWritesBegin(__FILE__, __LINE__); }
  ~Unwatched() { AnnotateIgnoreWritesEnd(__FILE__, __LINE__); }
#else
  Unwatched() {}
  ~Unwatched() {}
#endif
  Unwatched(const Unwatched&) = delete;
  Unwatched& operator=(const Unwatched&) = delete;
};

}  // namespace slipway::emulation
