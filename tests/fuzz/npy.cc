// NumPy files: what is read is written and read again as the same.
#include "infer/npy.h"

#include <cstring>

#include "fuzz.h"

namespace slipway::fuzz {
namespace {

std::string file_of(std::string header, std::size_t bytes, char version = 1) {
  header.resize(version == 1 ? 117 : 115, ' ');
  header += '\n';
  std::string out = "\x93NUMPY";
  out += version;
  out += '\0';
  out += static_cast<char>(header.size());
  out.append(version == 1 ? 1 : 3, '\0');
  return out + header + std::string(bytes, '\1');
}

std::vector<std::string> seeds() {
  return {file_of("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }", 24),
          file_of("{'descr': '>i8', 'fortran_order': True, 'shape': (2, 2, 1), }", 32),
          file_of("{'descr': '|b1', 'fortran_order': False, 'shape': (), }", 1, 2),
          file_of("{'descr': '<f8', 'fortran_order': False, 'shape': (0, 4), }", 0, 3)};
}

std::vector<std::string> words() {
  return {"'descr': ", "'shape': ",     "'fortran_order': ",   "True",       "False", "'<f4'", "'>f8'", "'|u1'",
          "'=i4'",     "'|O'",          "9223372036854775807", "4294967296", "-1",    "(",     ")",     ", ",
          "\x93NUMPY", "[('a', '<f4')]"};
}

void read(std::string_view bytes) {
  const Tensor tensor = infer::parse_npy(bytes);
  const std::string again = infer::npy_bytes(tensor.view());
  const Tensor twin = infer::parse_npy(again);
  const bool is_same = twin.dtype() == tensor.dtype() && twin.shape() == tensor.shape() &&
                       std::memcmp(twin.view().data, tensor.view().data, static_cast<std::size_t>(tensor.bytes())) == 0;
  if (!is_same) report("an array changes by being written and read");
}

}  // namespace

const Target kTarget{"npy", Form::kBytes, 4096, &seeds, &words};

}  // namespace slipway::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)slipway::fuzz::reads([&] { slipway::fuzz::read(slipway::fuzz::text_of(data, size)); });
  return 0;
}
