#include "parse/external.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/error.h"

namespace slipway {

namespace {

constexpr std::size_t kMaxLocationBytes = 4096;

struct ExternalPlace {
  std::string_view location;
  int64_t offset = 0;
  int64_t length = -1;  // all behind the offset
};

class Descriptor final {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  [[nodiscard]] int get() const noexcept { return number_; }

 private:
  int number_;
};

[[noreturn]] void fail_by(int number, std::string_view location) {
  const std::string reason = std::generic_category().message(number);
  if (number == ELOOP || number == ENOTDIR) {
    fail(Code::kModel, "its data file ", quote(location, 200), " is a link, or lies behind one or behind a file (",
         reason, "); put the file itself beside the model");
  }
  fail(Code::kIo, "cannot read its data file ", quote(location, 200), " beside the model: ", reason);
}

int64_t number_of(std::string_view key, std::string_view text) {
  int64_t number = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || number < 0) {
    fail(Code::kModel, "the ", key, " of its data is ", quote(text, 40), ", expected a number of bytes");
  }
  return number;
}

void check_location(std::string_view location) {
  if (location.empty()) fail(Code::kModel, "keeps its data in another file but names none");
  if (location.size() > kMaxLocationBytes || !is_utf8(location) || location.find('\0') != std::string_view::npos) {
    fail(Code::kModel, "the name of its data file, ", quote(location, 80), ", is no name of a file");
  }
}

Descriptor open_below(const std::string& folder, std::string_view location) {
  Descriptor at(open(folder.empty() ? "." : folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (at.get() < 0) fail_by(errno, folder);
  for (std::size_t begin = 0;;) {
    const std::size_t slash = location.find('/', begin);
    const std::string part(location.substr(begin, slash - begin));
    if (part.empty() || part == "." || part == "..") {
      fail(Code::kModel, "its data file ", quote(location, 200), " does not lie beside the model: expected a name, or ",
           "folders and a name, below the model's folder");
    }
    const bool is_last = slash == std::string_view::npos;
    // O_NONBLOCK: to open a pipe must not wait for a writer.
    const int flags = is_last ? O_RDONLY | O_NONBLOCK | O_NOCTTY : O_PATH | O_DIRECTORY;
    Descriptor next(openat(at.get(), part.c_str(), flags | O_NOFOLLOW | O_CLOEXEC));
    if (next.get() < 0) fail_by(errno, location);
    if (is_last) return next;
    at = std::move(next);
    begin = slash + 1;
  }
}

void check_file(const Descriptor& file, const ExternalPlace& place, int64_t bytes) {
  struct stat status = {};
  if (fstat(file.get(), &status) != 0) fail_by(errno, place.location);
  if (!S_ISREG(status.st_mode)) fail(Code::kModel, "its data file ", quote(place.location, 200), " is no regular file");
  if (status.st_nlink > 1) {
    fail(Code::kModel, "its data file ", quote(place.location, 200), " has ", status.st_nlink - 1,
         " more names (hard links), so it may belong to somebody else; copy it");
  }
  const int64_t size = status.st_size;
  const int64_t length = place.length >= 0 ? place.length : size - place.offset;
  if (place.offset > size || length > size - place.offset) {
    fail(Code::kModel, "its data would end behind ", quote(place.location, 200), ": offset ", place.offset, ", length ",
         length, ", the file has ", size, " bytes");
  }
  if (length != bytes) {
    fail(Code::kModel, "has ", length, " bytes of data in ", quote(place.location, 200), ", its shape needs ", bytes);
  }
}

void read_all(const Descriptor& file, const ExternalPlace& place, std::byte* out, int64_t bytes) {
  for (int64_t done = 0; done < bytes;) {
    const ssize_t count = pread(file.get(), out + done, static_cast<std::size_t>(bytes - done), place.offset + done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_by(errno, place.location);
    if (count == 0) fail(Code::kIo, "its data file ", quote(place.location, 200), " became shorter while it was read");
    done += count;
  }
}

ExternalPlace place_of(const std::vector<Bytes>& entries) {
  ExternalPlace place;
  for (const Bytes entry : entries) {
    std::string_view key;
    std::string_view value;
    WireReader reader(entry);
    Field field;
    while (reader.next(field)) {
      if (field.number == 1) key = field.text();
      if (field.number == 2) value = field.text();
    }
    if (key == "location") place.location = value;
    if (key == "offset") place.offset = number_of(key, value);
    if (key == "length") place.length = number_of(key, value);
  }
  check_location(place.location);
  return place;
}

}  // namespace

Tensor ExternalFiles::read(const std::vector<Bytes>& entries, DType dtype, const Shape& shape) const {
  const ExternalPlace place = place_of(entries);
  const Descriptor file = open_below(folder_, place.location);
  check_file(file, place, shape.checked_bytes(size_of(dtype)));
  Tensor tensor(dtype, shape);
  read_all(file, place, static_cast<std::byte*>(tensor.mutable_view().data), tensor.bytes());
  return tensor;
}

}  // namespace slipway
