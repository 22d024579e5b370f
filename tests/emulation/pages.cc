#include "pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <new>

#include "guarded.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

namespace slipway::emulation {

namespace {

const std::size_t page_bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));

std::size_t round_up(std::size_t bytes, std::size_t unit) { return (bytes + unit - 1) / unit * unit; }

// Addresses go up and are not used again, so that memory that was freed stays untouchable. Nothing else lies here:
// the kernel maps from the top down, and AddressSanitizer's shadow ends at 0x10007fff8000.
std::atomic<std::uintptr_t> next_address = 0x200000000000;

unsigned char* map(std::size_t bytes) {
  constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
  void* memory = MAP_FAILED;
#if !defined(SLIPWAY_TSAN_FIBERS)  // ThreadSanitizer has a shadow for few ranges of addresses
  auto* wanted = reinterpret_cast<void*>(next_address.fetch_add(bytes));
  memory = ::mmap(wanted, bytes, PROT_NONE, kFlags | MAP_FIXED_NOREPLACE, -1, 0);
#endif
  if (memory == MAP_FAILED) memory = ::mmap(nullptr, bytes, PROT_NONE, kFlags, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  return static_cast<unsigned char*>(memory);
}

}  // namespace

PagedBytes::PagedBytes(std::size_t bytes) : bytes_(bytes) {
  const std::size_t aligned = round_up(bytes, kDeviceAlignment);
  const std::size_t body = round_up(aligned, page_bytes);
  if (body < bytes) throw std::bad_alloc();
  mapped_ = body + 2 * page_bytes;
  mapping_ = map(mapped_);
  data_ = mapping_ + page_bytes + body - aligned;
  allow(true);
  std::memset(mapping_ + page_bytes, kPoison, body);
#if defined(__SANITIZE_ADDRESS__)
  __asan_poison_memory_region(mapping_, mapped_);
  __asan_unpoison_memory_region(data_, bytes_);
#endif
}

PagedBytes::~PagedBytes() {
#if defined(__SANITIZE_ADDRESS__)
  __asan_unpoison_memory_region(mapping_, mapped_);
#endif
  ::munmap(mapping_, mapped_);
}

bool PagedBytes::is_near(std::uintptr_t address) const noexcept {
  return address - reinterpret_cast<std::uintptr_t>(mapping_) < mapped_;
}

bool PagedBytes::is_whole() const noexcept {
#if defined(__SANITIZE_ADDRESS__)
  return true;
#else
  const unsigned char* end = mapping_ + mapped_ - page_bytes;
  return holds_poison(mapping_ + page_bytes, data_) && holds_poison(data_ + bytes_, end);
#endif
}

void PagedBytes::mend() noexcept {
#if !defined(__SANITIZE_ADDRESS__)
  const unsigned char* end = mapping_ + mapped_ - page_bytes;
  std::memset(mapping_ + page_bytes, kPoison, static_cast<std::size_t>(data_ - mapping_) - page_bytes);
  std::memset(data_ + bytes_, kPoison, static_cast<std::size_t>(end - data_) - bytes_);
#endif
}

void PagedBytes::allow(bool is_allowed) noexcept {
  ::mprotect(mapping_ + page_bytes, mapped_ - 2 * page_bytes, is_allowed ? PROT_READ | PROT_WRITE : PROT_NONE);
}

}  // namespace slipway::emulation
