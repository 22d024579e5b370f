#include "infer/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "infer/sha256.h"

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
  File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  ~File() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  File& operator=(File&&) = delete;

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

/// How many processes may write one file at a time, as in python/slipway/_files.py.
constexpr int kWriters = 8;

constexpr std::size_t kLongestName = 255 - std::string_view("..0.part").size();

[[nodiscard]] std::string temporary_of(const std::filesystem::path& path, int number) {
  const std::string name = path.filename().string();
  const std::string stem = name.size() <= kLongestName ? name : sha256_hex(name);
  return (path.parent_path() / concat(".", stem, ".", number, ".part")).string();
}

[[nodiscard]] bool is_at(int descriptor, const std::string& path) {
  struct stat open_file = {};
  struct stat named = {};
  return ::fstat(descriptor, &open_file) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

/// Removes what killed writers of a file left: a writer that lives holds a lock on its temporary file.
void sweep(const std::filesystem::path& path) {
  for (int number = 0; number < kWriters; ++number) {
    const std::string temporary = temporary_of(path, number);
    const File file(::open(temporary.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 || ::flock(file.get(), LOCK_EX | LOCK_NB) != 0) continue;
    if (is_at(file.get(), temporary)) ::unlink(temporary.c_str());
  }
}

struct Temporary {
  File file;
  std::string name;
};

/// Creates a locked temporary file beside a file.
Temporary claim(const std::filesystem::path& path) {
  sweep(path);
  for (int number = 0; number < kWriters; ++number) {
    Temporary made = {File(::open(temporary_of(path, number).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)),
                      temporary_of(path, number)};
    if (made.file.get() < 0 && errno == EEXIST) continue;
    if (made.file.get() < 0) fail_io("write", path.string());
    const bool has_no_locks = ::flock(made.file.get(), LOCK_EX | LOCK_NB) != 0 && errno != EWOULDBLOCK;
    if (has_no_locks || is_at(made.file.get(), made.name)) return made;  // else a sweep took it before it was locked
  }
  fail(Code::kIo, kWriters, " processes are writing ", quote(path.string(), 400), " already; if none is, remove ",
       quote(temporary_of(path, 0), 400), " and its like");
}

[[nodiscard]] bool sync_folder_of(const std::filesystem::path& path) {
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  const File file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return file.get() >= 0 && ::fsync(file.get()) == 0;
}

void write_in_place(const std::string& path, std::string_view bytes) {
  File file(open_now(path, O_WRONLY));
  if (file.get() < 0 || !write_all(file.get(), bytes) || !file.close()) fail_io("write", path);
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

void write_file(const std::string& path, std::string_view bytes) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) return write_in_place(path, bytes);
  std::filesystem::path target = path;
  if (std::error_code none_there; std::filesystem::is_symlink(target, none_there)) {
    std::error_code error;
    target = std::filesystem::weakly_canonical(target, error);
    if (error) fail(Code::kIo, "cannot write ", quote(path, 400), ": ", error.message());
  }
  const HoldInterrupt hold;
  const Temporary made = claim(target);
  if (!write_all(made.file.get(), bytes) || ::fsync(made.file.get()) != 0 ||
      ::rename(made.name.c_str(), target.c_str()) != 0) {
    const int number = errno;
    ::unlink(made.name.c_str());
    errno = number;
    fail_io("write", path);
  }
  if (!sync_folder_of(target)) fail_io("write", path);
}

}  // namespace slipway::infer
