#include "exec/device_frame.h"

#include <algorithm>

#include "base/error.h"
#include "exec/segment.h"

namespace slipway {

namespace {

// Runs with the same addresses before their kernels are recorded: a caller whose arrays are new each time gains
// nothing.
constexpr int kRepeatsToRecord = 2;

// Every address that may differ from run to run.
bool update_addresses(const Frame& frame, std::vector<const void*>& addresses) {
  const std::size_t count = frame.inputs.size() + frame.outputs.size();
  bool is_same = addresses.size() == count;
  addresses.resize(count);
  const auto update = [&](const void*& known, const void* now) {
    is_same = is_same && known == now;
    known = now;
  };
  for (std::size_t i = 0; i < frame.inputs.size(); ++i) update(addresses[i], frame.inputs[i].data);
  for (std::size_t i = 0; i < frame.outputs.size(); ++i) {
    update(addresses[frame.inputs.size() + i], frame.outputs[i].data);
  }
  return is_same;
}

// These are integers that are not known beforehand.
bool may_meet_forbidden_values(const Plan& plan) {
  const auto is_open = [](const Operand& operand) {
    const bool is_integer = operand.dtype == DType::kInt64 || operand.dtype == DType::kInt32 ||
                            operand.dtype == DType::kInt8 || operand.dtype == DType::kUint8;
    return is_integer && operand.place.kind != Place::Kind::kConstant;
  };
  return std::any_of(plan.steps.begin(), plan.steps.end(), [&](const Step& step) {
    return step.node != nullptr && std::any_of(step.inputs.begin(), step.inputs.end(), is_open);
  });
}

}  // namespace

std::shared_ptr<const DeviceMemory> DeviceConstants::copy_of(const std::shared_ptr<const Tensor>& constant) {
  struct Copy {
    std::shared_ptr<const Tensor> host;  // so that its address stays its own
    std::shared_ptr<const DeviceMemory> device;
  };
  const std::scoped_lock lock(mutex_);
  std::erase_if(copies_, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<const DeviceMemory>& known = copies_[constant.get()];
  if (std::shared_ptr<const DeviceMemory> copy = known.lock()) return copy;
  auto copy = std::make_shared<const Copy>(Copy{constant, device_->upload(constant->view().data, constant->bytes())});
  const DeviceMemory* memory = copy->device.get();
  std::shared_ptr<const DeviceMemory> shared(std::move(copy), memory);
  known = shared;
  return shared;
}

DeviceFrame::DeviceFrame(const Plan& plan, std::shared_ptr<CudaDevice> device)
    : device_(std::move(device)),
      arena_(device_, plan.arena_bytes),
      scratch_(device_, plan.scratch_bytes),
      cell_(device_),
      done_(device_),
      may_meet_forbidden_values_(may_meet_forbidden_values(plan)) {}

DeviceFrame::~DeviceFrame() = default;

void DeviceFrame::call_kernels(const Plan& plan, const Frame& frame, void* stream) const {
  const TensorView* inputs = frame.inputs.data();
  const MutableView* outputs = frame.outputs.data();
  for (const Step& step : plan.steps) {
    if (step.node == nullptr) {
      device_->copy(outputs[0].data, inputs[0].data, inputs[0].bytes(), stream);
    } else {
      try {
        call_on_device(
            step.kernel,
            OpCall{{inputs, step.inputs.size()}, {outputs, step.outputs.size()}, step.prepared.get(), scratch_.data()},
            *device_, cell_, stream);
      } catch (const Error& error) {
        throw error.at(step.node->title());
      }
    }
    inputs += step.inputs.size();
    outputs += step.outputs.size();
  }
}

void DeviceFrame::record(const Plan& plan, const Frame& frame) {
  if (!recording_) recording_ = std::make_unique<CudaStream>(device_);
  device_->begin_capture(recording_->get());
  try {
    call_kernels(plan, frame, recording_->get());
  } catch (const Error&) {
    (void)CudaGraph(device_, device_->end_capture(recording_->get()));
    throw;
  }
  graph_ = CudaGraph(device_, device_->end_capture(recording_->get()));
}

void DeviceFrame::launch(const Plan& plan, const Frame& frame, void* stream) {
  device_->use();
  if (update_addresses(frame, addresses_)) {
    ++repeats_;
  } else {
    repeats_ = 0;
    graph_ = CudaGraph();
  }
  if (!graph_ && repeats_ == kRepeatsToRecord) record(plan, frame);
  if (graph_) {
    graph_.launch(stream);
  } else {
    call_kernels(plan, frame, stream);
  }
}

void DeviceFrame::enter(void* stream) const {
  if (!has_left_ || (stream == left_ && !has_one_per_thread(stream))) return;
  device_->use();
  done_.make_wait(stream);
}

void DeviceFrame::leave(void* stream) {
  device_->use();
  done_.record(stream);
  left_ = stream;
  has_left_ = true;
}

void DeviceFrame::check_values(void* stream) {
  if (!has_to_check_) return;
  device_->synchronize(stream);
  cell_.check();
  has_to_check_ = may_meet_forbidden_values_;
}

const void* DeviceFrame::read(std::size_t slot, const void* address, int64_t bytes, void* stream) {
  if (read_.size() <= slot) read_.resize(slot + 1);
  if (read_[slot].bytes() < bytes) read_[slot] = Buffer(bytes);
  device_->copy(read_[slot].data(), address, bytes, stream);
  device_->synchronize(stream);
  return read_[slot].data();
}

}  // namespace slipway
