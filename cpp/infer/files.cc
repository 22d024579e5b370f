#include "infer/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include "base/error.h"

namespace slipway::infer {

namespace {

[[noreturn]] void fail_io(const char* what, const std::string& path) {
  const int number = errno;
  fail(Code::kIo, "cannot ", what, " ", quote(path, 400), ": ", std::strerror(number));
}

/// An open file, closed at the end of its life.
class File final {
 public:
  explicit File(int descriptor) noexcept : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  [[nodiscard]] int get() const noexcept { return descriptor_; }
  [[nodiscard]] bool close() noexcept { return ::close(std::exchange(descriptor_, -1)) == 0; }

 private:
  int descriptor_;
};

/// Holds an interrupt back while a temporary file exists, so that none is left behind.
class HoldInterrupt final {
 public:
  HoldInterrupt() noexcept {
    sigset_t held;
    sigemptyset(&held);
    sigaddset(&held, SIGINT);
    sigaddset(&held, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &held, &before_);
  }
  ~HoldInterrupt() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HoldInterrupt(const HoldInterrupt&) = delete;
  HoldInterrupt& operator=(const HoldInterrupt&) = delete;

 private:
  sigset_t before_;
};

[[nodiscard]] bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// Opens without waiting: a pipe whose other end nobody opened would never open. Later reads and writes do wait.
int open_now(const std::string& path, int flags) {
  const int descriptor = ::open(path.c_str(), flags | O_NONBLOCK | O_CLOEXEC);
  if (descriptor >= 0) (void)::fcntl(descriptor, F_SETFL, flags);
  return descriptor;
}

void write_in_place(const std::string& path, std::string_view bytes) {
  File file(open_now(path, O_WRONLY));
  if (file.get() < 0 || !write_all(file.get(), bytes) || !file.close()) fail_io("write", path);
}

/// What a link leads to; the path itself where it is none, or leads nowhere.
std::string resolved(const std::string& path) {
  char* found = ::realpath(path.c_str(), nullptr);
  if (found == nullptr) return path;
  const std::unique_ptr<char, decltype(&std::free)> owned(found, &std::free);
  return found;
}

}  // namespace

std::string read_file(const std::string& path, int64_t limit) {
  const File file(open_now(path, O_RDONLY));
  if (file.get() < 0) fail_io("read", path);
  struct stat status = {};
  if (::fstat(file.get(), &status) != 0) fail_io("read", path);
  if (S_ISDIR(status.st_mode)) fail(Code::kIo, "cannot read ", quote(path, 400), ": it is a folder");
  const bool is_regular = S_ISREG(status.st_mode);
  if (!is_regular && !S_ISFIFO(status.st_mode)) {
    fail(Code::kIo, "cannot read ", quote(path, 400), ": it is a device, expected a file or a pipe");
  }
  if (is_regular && status.st_size > limit) {
    fail(Code::kLimit, quote(path, 400), " has ", status.st_size, " bytes, the limit is ", limit);
  }
  std::string bytes;
  if (is_regular) bytes.reserve(static_cast<std::size_t>(status.st_size));
  char piece[1 << 16];
  for (;;) {
    const ssize_t got = ::read(file.get(), piece, sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_io("read", path);
    if (got == 0 && bytes.empty() && !is_regular) {
      fail(Code::kIo, "cannot read ", quote(path, 400), ": it is a pipe, and nobody writes to it");
    }
    if (got == 0) return bytes;
    bytes.append(piece, static_cast<std::size_t>(got));
    if (static_cast<int64_t>(bytes.size()) > limit) {
      fail(Code::kLimit, quote(path, 400), " has more than ", limit, " bytes");
    }
  }
}

void write_file(const std::string& given, std::string_view bytes) {
  struct stat status = {};
  if (::stat(given.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return write_in_place(given, bytes);
  const std::string path = resolved(given);
  const HoldInterrupt hold;
  const std::string temporary = concat(path, ".", ::getpid(), ".tmp");
  File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
  if (file.get() < 0) fail_io("write", path);
  if (!write_all(file.get(), bytes) || ::fsync(file.get()) != 0 || !file.close() ||
      ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int number = errno;
    ::unlink(temporary.c_str());
    errno = number;
    fail_io("write", path);
  }
}

}  // namespace slipway::infer
