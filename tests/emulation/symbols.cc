// Names of kernels, for messages. Kernels are hidden or local symbols, so the file's own table is read.
#include <cxxabi.h>
#include <dlfcn.h>
#include <elf.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "scheduler.h"

namespace slipway::emulation {

namespace {

template <typename T>
T read_at(std::string_view file, std::size_t offset) {
  T value = {};
  if (offset <= file.size() && sizeof(T) <= file.size() - offset) std::memcpy(&value, file.data() + offset, sizeof(T));
  return value;
}

// The mangled name of the function at this address of an ELF file, or "". ELF-64 Object File Format 1.5, 4 and 5.
std::string find_symbol(std::string_view file, uint64_t address) {
  const auto header = read_at<Elf64_Ehdr>(file, 0);
  if (std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64) return {};
  const auto section = [&](std::size_t i) {
    return read_at<Elf64_Shdr>(file, header.e_shoff + i * sizeof(Elf64_Shdr));
  };
  for (std::size_t i = 0; i < header.e_shnum; ++i) {
    const Elf64_Shdr table = section(i);
    if (table.sh_type != SHT_SYMTAB) continue;
    const Elf64_Shdr names = section(table.sh_link);
    for (std::size_t at = 0; at < table.sh_size; at += sizeof(Elf64_Sym)) {
      const auto symbol = read_at<Elf64_Sym>(file, table.sh_offset + at);
      if (ELF64_ST_TYPE(symbol.st_info) != STT_FUNC || symbol.st_value != address) continue;
      const std::size_t name = names.sh_offset + symbol.st_name;
      return name < file.size() ? std::string(file.substr(name, file.find('\0', name) - name)) : std::string();
    }
  }
  return {};
}

std::string demangled(const std::string& name) {
  int status = 0;
  const std::unique_ptr<char, decltype(&std::free)> text(abi::__cxa_demangle(name.c_str(), nullptr, nullptr, &status),
                                                         &std::free);
  return status == 0 ? text.get() : name;
}

}  // namespace

std::string kernel_name(const void* kernel) {
  Dl_info info = {};
  if (::dladdr(kernel, &info) != 0) {
    std::ifstream stream(info.dli_fname, std::ios::binary);
    if (!stream) stream.open("/proc/self/exe", std::ios::binary);
    const std::string file(std::istreambuf_iterator<char>(stream), {});
    const auto address = reinterpret_cast<uint64_t>(kernel);
    const bool is_fixed = read_at<Elf64_Ehdr>(file, 0).e_type == ET_EXEC;
    const uint64_t base = is_fixed ? 0 : reinterpret_cast<uint64_t>(info.dli_fbase);
    const std::string name = find_symbol(file, address - base);
    if (!name.empty()) return demangled(name);
  }
  std::ostringstream text;
  text << "at " << kernel;
  return text.str();
}

}  // namespace slipway::emulation
