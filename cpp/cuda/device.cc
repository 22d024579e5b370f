#include "cuda/device.h"

#include <dlfcn.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/error.h"

namespace slipway {

namespace {

constexpr const char* kFile = "libslipway_cuda.so";

/// The plugin, or why there is none. Opened once: it stays, since threads may run in it until the process ends.
struct Opened {
  const CudaPlugin* plugin = nullptr;
  std::string why;
};

/// Beside whatever holds the engine, the Python extension or the program; for a program in a bin folder also where a
/// package or an installation of the same prefix has it. The first is returned where none is there.
std::filesystem::path find_file() {
  namespace fs = std::filesystem;
  std::error_code error;
  std::vector<fs::path> folders;
  Dl_info info = {};
  if (::dladdr(reinterpret_cast<const void*>(&count_cuda_devices), &info) != 0 && info.dli_fname != nullptr) {
    folders.push_back(fs::absolute(info.dli_fname, error).parent_path());
  }
  const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
  const fs::path library = program.parent_path() / "lib";
  folders.insert(folders.end(), {program, library});
  for (fs::directory_iterator it(library, error), end; !error && it != end; it.increment(error)) {
    if (it->path().filename().string().starts_with("python"))
      folders.push_back(it->path() / "site-packages" / "slipway");
  }
  for (const fs::path& folder : folders) {
    if (fs::exists(folder / kFile, error)) return folder / kFile;
  }
  return folders.front() / kFile;
}

Opened open_plugin() {
  const char* asked = std::getenv("SLIPWAY_CUDA_PLUGIN");
  const bool is_asked = asked != nullptr && *asked != '\0';
  const std::filesystem::path file = is_asked ? std::filesystem::path(asked) : find_file();
  std::error_code error;
  if (!std::filesystem::exists(file, error)) {
    if (is_asked)
      return {nullptr, concat("SLIPWAY_CUDA_PLUGIN names ", quote(file.string(), 400), ", which is not there")};
    return {nullptr, concat("slipway was built without CUDA (no ", kFile, " beside it); build it where nvcc is")};
  }
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return {nullptr, concat("the CUDA plugin cannot be opened: ", ::dlerror())};
  const auto get = reinterpret_cast<const CudaPlugin* (*)()>(::dlsym(library, "slipway_cuda_plugin"));
  const CudaPlugin* plugin = get == nullptr ? nullptr : get();
  if (plugin == nullptr) return {nullptr, concat(quote(file.string(), 400), " is no CUDA plugin of slipway")};
  if (plugin->abi != kCudaAbi || std::string_view(plugin->version) != SLIPWAY_VERSION) {
    return {nullptr, concat("the CUDA plugin belongs to another version of slipway; build both anew")};
  }
  return {plugin, {}};
}

const Opened& opened() {
  static const Opened once = open_plugin();
  return once;
}

}  // namespace

int count_cuda_devices(std::string* why) {
  const Opened& found = opened();
  if (found.plugin == nullptr) {
    *why = found.why;
    return 0;
  }
  const char* reason = "";
  const int count = found.plugin->count_devices(&reason);
  if (count == 0) *why = reason;
  return count;
}

int cuda_number(std::string_view device) {
  if (device == "cpu") return -1;
  if (device == "cuda") return 0;
  constexpr std::string_view kStart = "cuda:";
  int number = -1;
  if (device.starts_with(kStart) && device.size() <= kStart.size() + 3) {
    const char* end = device.data() + device.size();
    const auto [stop, error] = std::from_chars(device.data() + kStart.size(), end, number);
    if (error == std::errc() && stop == end && number >= 0) return number;
  }
  fail(Code::kUsage, "device is ", quote(device), ", expected cpu, cuda or cuda:N");
}

std::shared_ptr<CudaDevice> CudaDevice::open(int number) {
  std::string why;
  const int count = count_cuda_devices(&why);
  if (count == 0) fail(Code::kUnavailable, "device cuda is not available: ", why);
  if (number >= count) {
    fail(Code::kUnavailable, "device cuda:", number, " is not available: there are ", count, ", counted from 0");
  }
  CudaDeviceInfo info = {};
  const CudaPlugin* plugin = opened().plugin;
  if (const int error = plugin->describe(number, &info); error != 0) {
    fail(Code::kUnavailable, "device cuda:", number, " is not available: ", plugin->explain(error));
  }
  return std::shared_ptr<CudaDevice>(new CudaDevice(plugin, number, info));
}

void CudaDevice::check(int error, std::string_view doing) const {
  if (error == 0) return;
  constexpr int kOutOfMemory = 2;  // cudaErrorMemoryAllocation
  fail(error == kOutOfMemory ? Code::kLimit : Code::kFault, "device cuda:", number_, " (", info_.name,
       "): ", plugin_->explain(error), " while ", doing);
}

CudaKernel CudaDevice::find_kernel(std::string_view id) const { return plugin_->find_kernel(std::string(id).c_str()); }

void CudaDevice::use() const { check(plugin_->use(number_), "choosing the device"); }

void CudaDevice::copy(void* to, const void* from, int64_t bytes, void* stream) const {
  if (bytes == 0) return;
  use();
  check(plugin_->copy(to, from, bytes, stream), "copying");
}

void CudaDevice::synchronize(void* stream) const {
  use();
  check(plugin_->synchronize(stream), "waiting for its work");
}

void CudaDevice::begin_capture(void* stream) const {
  use();
  check(plugin_->begin_capture(stream), "recording a graph");
}

void* CudaDevice::end_capture(void* stream) const {
  void* graph = nullptr;
  return plugin_->end_capture(stream, &graph) == 0 ? graph : nullptr;
}

void CudaDevice::launch_graph(void* graph, void* stream) const {
  check(plugin_->launch_graph(graph, stream), "launching a graph");
}

std::shared_ptr<const DeviceMemory> CudaDevice::upload(const void* from, int64_t bytes) {
  auto memory = std::make_shared<DeviceMemory>(shared_from_this(), bytes);
  copy(memory->data(), from, bytes, nullptr);
  synchronize(nullptr);
  return memory;
}

DeviceMemory::DeviceMemory(std::shared_ptr<CudaDevice> device, int64_t bytes)
    : device_(std::move(device)), bytes_(bytes) {
  if (bytes == 0) return;
  device_->use();
  void* memory = nullptr;
  device_->check(device_->plugin().allocate(&memory, bytes), concat("allocating ", bytes, " bytes"));
  data_ = static_cast<std::byte*>(memory);
}

DeviceMemory::DeviceMemory(DeviceMemory&& other) noexcept
    : device_(std::move(other.device_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

DeviceMemory& DeviceMemory::operator=(DeviceMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

DeviceMemory::~DeviceMemory() {
  if (data_ != nullptr) device_->plugin().release(data_);
}

PinnedMemory::PinnedMemory(std::shared_ptr<CudaDevice> device, int64_t bytes)
    : device_(std::move(device)), bytes_(bytes) {
  if (bytes == 0) return;
  device_->use();
  void* memory = nullptr;
  device_->check(device_->plugin().allocate_pinned(&memory, bytes),
                 concat("allocating ", bytes, " bytes of the host's"));
  data_ = static_cast<std::byte*>(memory);
}

PinnedMemory::PinnedMemory(PinnedMemory&& other) noexcept
    : device_(std::move(other.device_)),
      data_(std::exchange(other.data_, nullptr)),
      bytes_(std::exchange(other.bytes_, 0)) {}

PinnedMemory& PinnedMemory::operator=(PinnedMemory&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

PinnedMemory::~PinnedMemory() {
  if (data_ != nullptr) device_->plugin().release_pinned(data_);
}

CudaStream::CudaStream(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {
  device_->use();
  device_->check(device_->plugin().make_stream(&stream_), "making a stream");
}

CudaStream::~CudaStream() { device_->plugin().destroy_stream(stream_); }

CudaEvent::CudaEvent(std::shared_ptr<CudaDevice> device) : device_(std::move(device)) {
  device_->use();
  device_->check(device_->plugin().make_event(&event_), "making an event");
}

CudaEvent::~CudaEvent() { device_->plugin().destroy_event(event_); }

void CudaEvent::record(void* stream) const {
  device_->check(device_->plugin().record_event(event_, stream), "recording an event");
}

void CudaEvent::make_wait(void* stream) const {
  device_->check(device_->plugin().wait_event(event_, stream), "ordering streams");
}

CudaGraph::CudaGraph(CudaGraph&& other) noexcept
    : device_(std::move(other.device_)), graph_(std::exchange(other.graph_, nullptr)) {}

CudaGraph& CudaGraph::operator=(CudaGraph&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(graph_, other.graph_);
  return *this;
}

CudaGraph::~CudaGraph() {
  if (graph_ != nullptr) device_->plugin().destroy_graph(graph_);
}

}  // namespace slipway
