#include "ways.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

#include "fuzz.h"
#include "ops/table.h"
#include "ops/types.h"
#include "parse/parse.h"
#include "passes/infer_facts.h"

namespace slipway::fuzz {

namespace {

constexpr double kMaxElements = 10'000;
// Beyond this, products of two results overflow soon, and sums of float lose all small terms.
constexpr double kModerate = 1e6;
constexpr double kRelative = 1e-3;
// What roundings of numbers about 1 leave where these nearly cancel.
constexpr double kCancelled = 0x1p-20;
// Relative change of inputs that a difference between kernels is measured against.
constexpr double kNudge = 0x1p-12;

SessionOptions options_of(bool optimize, std::string isa, int threads) {
  SessionOptions options;
  options.optimize = optimize;
  options.isa = std::move(isa);
  options.threads = threads;
  options.max_steps = 8;  // a changed loop may have no end
  options.max_memory = int64_t{16} << 20;
  return options;
}

std::vector<TensorView> views_of(std::span<const Tensor> tensors) {
  std::vector<TensorView> views;
  for (const Tensor& tensor : tensors) views.push_back(tensor.view());
  return views;
}

void refuse(Answer& answer, const Error& error) {
  check_message(error);
  answer.refusal = error.message();
  answer.is_unsupported = error.code() == Code::kUnsupported || error.code() == Code::kLimit;
}

bool is_same(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() &&
         std::memcmp(a.view().data, b.view().data, static_cast<std::size_t>(a.bytes())) == 0;
}

bool are_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), &is_same);
}

void require_same(const std::vector<Tensor>& a, const std::vector<Tensor>& b, std::string_view what) {
  if (a.size() != b.size()) report(concat(what, ": ", a.size(), " outputs and ", b.size()));
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (!is_same(a[i], b[i])) report(concat(what, ": output ", i, " differs in its bits"));
  }
}

// The message with the model's text, for who looks into it.
[[noreturn]] void report_model(std::span<const std::byte> model, const std::string& what) {
  std::string text;
  try {
    text = parse(model).text();
  } catch (const Error& error) {
    text = error.message();
  }
  report(concat(what, "\n", text));
}

// The same of an array with `more` places along every axis whose size the model leaves open, and of other numbers.
Tensor changed(const TensorView& from, const PortInfo& port, int64_t more) {
  Shape shape;
  for (int axis = 0; axis < from.shape.rank(); ++axis) {
    const bool is_open = !port.dims[static_cast<std::size_t>(axis)].is_known();
    shape.push_back(from.shape[axis] + (is_open ? more : 0));
  }
  Tensor out(from.dtype, shape);
  const int64_t count = from.shape.count();
  dispatch(AnyType{}, from.dtype, [&]<typename T>() {
    for (int64_t i = 0; i < shape.count(); ++i) {
      const T before = count > 0 ? from.as<T>()[i % count] : T{};
      if constexpr (std::is_floating_point_v<T>) {
        out.as<T>()[i] = before + T{0.5};
      } else if constexpr (std::is_same_v<T, bool>) {
        out.as<T>()[i] = !before;
      } else {
        out.as<T>()[i] = static_cast<T>(static_cast<uint64_t>(before) + 1);
      }
    }
  });
  return out;
}

// Runs of other shapes, and of other values, whatever comes of them.
void run_others(const Session& session, std::span<const TensorView> views) {
  for (const int64_t more : {1, 0}) {
    std::vector<Tensor> others;
    for (std::size_t i = 0; i < views.size(); ++i) others.push_back(changed(views[i], session.inputs()[i], more));
    try {
      (void)session.run(views_of(others));
    } catch (const Error& error) {
      check_message(error);
    }
  }
}

// Opens the model in one way and runs it twice, by run() and by a bound call; `with_others` adds a third run behind
// some of other shapes and values, of which nothing may be left.
Answer run_one(std::span<const std::byte> model, const SessionOptions& options, std::span<const Tensor> given,
               bool with_others = false) {
  Answer answer;
  try {
    const Session session = Session::read(model, options);
    answer.is_loaded = true;
    std::vector<Tensor> made;
    if (given.empty()) made = inputs_for(session);
    const std::vector<TensorView> views = views_of(given.empty() ? made : given);
    answer.outputs = session.run(views);
    std::vector<Tensor> again;
    std::vector<MutableView> into;
    for (const Tensor& output : answer.outputs) again.emplace_back(output.dtype(), output.shape());
    for (Tensor& output : again) into.push_back(output.mutable_view());
    session.bind(views, into)();
    require_same(answer.outputs, again, "a run and a bound call");
    if (with_others) {
      run_others(session, views);
      require_same(answer.outputs, session.run(views), "a run and one behind others");
    }
  } catch (const Error& error) {
    answer.outputs.clear();
    refuse(answer, error);
  }
  return answer;
}

double element(const Tensor& tensor, int64_t i) {
  return tensor.dtype() == DType::kFloat32 ? static_cast<double>(tensor.as<float>()[i]) : tensor.as<double>()[i];
}

bool is_float(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }

// What two ways disagree on; `size` is infinite where no rounding explains it.
struct Difference {
  std::string what;
  double size = INFINITY;
};

// Of one output of floating-point numbers, where both have it in the same shape.
std::optional<Difference> difference_of_floats(const Tensor& a, const Tensor& b, Closeness closeness) {
  double largest = 1.0;
  double most = 0.0;
  int64_t place = 0;
  for (int64_t i = 0; i < a.shape().count(); ++i) {
    const double x = element(a, i);
    const double y = element(b, i);
    if (x == y || (std::isnan(x) && std::isnan(y))) continue;
    if (closeness == Closeness::kQuotients && std::abs(x - y) <= kCancelled * std::abs(x * y)) continue;
    if (closeness == Closeness::kBits) return Difference{concat("at ", i, " is ", x, " and ", y)};
    // What overflows in one order of a sum need not in another; nothing that stands beside it is asked further.
    if (!(std::abs(x) < kModerate) || !(std::abs(y) < kModerate)) return std::nullopt;
    largest = std::max({largest, std::abs(x), std::abs(y)});
    if (std::abs(x - y) > most) place = i;
    most = std::max(most, std::abs(x - y));
  }
  if (most <= kRelative * largest) return std::nullopt;
  return Difference{concat("at ", place, " is ", element(a, place), " and ", element(b, place)), most};
}

std::optional<Difference> difference(const std::vector<Tensor>& a, const std::vector<Tensor>& b, Closeness closeness) {
  for (std::size_t k = 0; k < a.size(); ++k) {
    const std::string output = concat("output ", k, " ");
    if (a[k].dtype() != b[k].dtype()) return Difference{output + "has two types"};
    if (closeness == Closeness::kNone) continue;
    if (!(a[k].shape() == b[k].shape())) {
      return Difference{concat(output, "has shapes ", a[k].shape().text(), " and ", b[k].shape().text())};
    }
    if (is_float(a[k].dtype())) {
      std::optional<Difference> found = difference_of_floats(a[k], b[k], closeness);
      if (found) return Difference{output + found->what, found->size};
    } else if (!is_same(a[k], b[k])) {
      return Difference{output + "of whole numbers differs"};
    }
  }
  return std::nullopt;
}

// Largest move of an output where the inputs move by one part in 2^12.
double conditioning(std::span<const std::byte> model, std::span<const Tensor> inputs, const std::vector<Tensor>& out) {
  double most = 0.0;
  for (const double factor : {1.0 + kNudge, 1.0 - kNudge}) {
    std::vector<Tensor> moved;
    for (const Tensor& input : inputs) {
      Tensor copy(input.dtype(), input.shape());
      std::memcpy(copy.mutable_view().data, input.view().data, static_cast<std::size_t>(input.bytes()));
      for (int64_t i = 0; i < (is_float(input.dtype()) ? input.shape().count() : 0); ++i) {
        if (input.dtype() == DType::kFloat32) copy.as<float>()[i] *= static_cast<float>(factor);
        if (input.dtype() == DType::kFloat64) copy.as<double>()[i] *= factor;
      }
      moved.push_back(std::move(copy));
    }
    const Answer answer = run_one(model, options_of(false, "scalar", 1), moved);
    if (!answer.has_run()) return INFINITY;
    for (std::size_t k = 0; k < out.size(); ++k) {
      if (!is_float(out[k].dtype())) continue;
      if (!(out[k].shape() == answer.outputs[k].shape())) return INFINITY;
      for (int64_t i = 0; i < out[k].shape().count(); ++i) {
        const double move = std::abs(element(out[k], i) - element(answer.outputs[k], i));
        most = std::isnan(move) ? INFINITY : std::max(most, move);
      }
    }
  }
  return most;
}

// The scalar and the best kernels, with and without passes.
void compare(std::span<const std::byte> model, std::span<const Tensor> inputs, const Answer& best, const Answer& other,
             const std::function<Closeness()>& closeness) {
  // Passes may see at load what is wrong in every run; then no way may run it.
  if (best.is_loaded != other.is_loaded && (best.has_run() || other.has_run())) {
    report_model(model, concat("one way runs the model, another refuses to load it: ", best.refusal, other.refusal));
  }
  if (other.has_run() && !best.has_run() && !best.is_unsupported && closeness() != Closeness::kNone) {
    report_model(model, concat("a run without passes succeeds, with passes it fails: ", best.refusal));
  }
  if (!best.has_run() || !other.has_run() || are_same(best.outputs, other.outputs)) return;
  const std::optional<Difference> found = difference(best.outputs, other.outputs, closeness());
  if (!found) return;
  if (found->size < INFINITY) {
    std::vector<Tensor> made;
    if (inputs.empty()) made = inputs_for(Session::read(model, options_of(false, "scalar", 1)));
    // Where rounding of 2^-24 became this difference, a change of 2^-12 becomes far more.
    if (conditioning(model, inputs.empty() ? made : inputs, other.outputs) > found->size / 4) return;
  }
  report_model(model, concat("vector and scalar kernels differ: ", found->what));
}

bool rounds_to_whole(const Node& node) {
  constexpr std::string_view kJumps[] = {"ArgMax",  "ArgMin", "Cast",           "Ceil",  "Equal",       "Floor",
                                         "Greater", "Less",   "GreaterOrEqual", "IsInf", "LessOrEqual", "IsNaN",
                                         "Mod",     "Range",  "Round",          "Sign",  "TopK",        "OneHot"};
  if (node.op == "MaxPool" && node.outputs.size() > 1) return true;  // places of the largest
  return std::find(std::begin(kJumps), std::end(kJumps), node.op) != std::end(kJumps);
}

bool divides(std::string_view op) { return op == "Div" || op == "Pow" || op == "Reciprocal"; }

struct Seen {
  bool has_floats = false;
  bool jumps = false;
  bool divides = false;
};

void look(const Graph& graph, Seen& seen) {
  for (const Value& value : graph.values) {
    seen.has_floats = seen.has_floats || is_float(value.fact.dtype) || value.fact.dtype == DType::kNone;
  }
  for (const Node& node : graph.nodes) {
    seen.jumps = seen.jumps || rounds_to_whole(node);
    seen.divides = seen.divides || divides(node.op);
    for (const auto& [name, body] : node.bodies()) look(*body, seen);
  }
}

}  // namespace

std::vector<Tensor> inputs_for(const Session& session) {
  std::vector<Tensor> inputs;
  for (const PortInfo& port : session.inputs()) {
    Shape shape;
    double count = 1;
    for (const Dim& dim : port.dims) {
      shape.push_back(dim.is_known() ? dim.value() : 2);
      count *= static_cast<double>(shape[shape.rank() - 1]);
    }
    if (count > kMaxElements) fail(Code::kLimit, "an input is too large for a fuzzer");
    Tensor& input = inputs.emplace_back(port.dtype, shape);
    dispatch(AnyType{}, port.dtype, [&]<typename T>() {
      constexpr double kStep = std::is_floating_point_v<T> ? 0.75 : 0.5;
      for (int64_t i = 0; i < shape.count(); ++i) input.as<T>()[i] = static_cast<T>(static_cast<double>(i % 3) * kStep);
    });
  }
  return inputs;
}

Closeness closeness_of_model(std::span<const std::byte> model) {
  Seen seen;
  try {
    Graph graph = parse(model);
    resolve_all(graph);
    infer_facts(graph);
    look(graph, seen);
  } catch (const Error& error) {
    check_message(error);
    return Closeness::kNone;
  }
  if (!seen.has_floats) return Closeness::kBits;
  if (seen.jumps) return Closeness::kNone;
  return seen.divides ? Closeness::kQuotients : Closeness::kClose;
}

uint64_t salt_of(std::span<const std::byte> bytes) noexcept {
  uint64_t hash = 0xCBF29CE484222325;  // FNV-1a, 64 bits
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001B3;
  return hash ^ (hash >> 32);
}

Answer run_ways(std::span<const std::byte> model, std::span<const Tensor> inputs,
                const std::function<Closeness()>& closeness, uint64_t salt) {
  Answer best = run_one(model, options_of(true, "", 1), inputs, salt / 256 % 4 == 0);
  if (best.is_loaded) ++tally.read;
  if (best.has_run()) ++tally.ran;
  // Scalar without passes is the meaning; the two between it and the best have their turns.
  if (salt % 4 == 0) {
    compare(model, inputs, best, run_one(model, options_of(true, "scalar", 1), inputs), closeness);
  } else if (salt % 4 == 1) {
    compare(model, inputs, best, run_one(model, options_of(false, "", 1), inputs), closeness);
  } else {
    compare(model, inputs, best, run_one(model, options_of(false, "scalar", 1), inputs), closeness);
  }
  // Starting a thread takes longer than all the rest.
  if (best.has_run() && salt / 4 % 64 == 0) {
    const Answer threads = run_one(model, options_of(true, "", 2), inputs);
    if (!threads.has_run()) report_model(model, concat("two threads fail where one does not: ", threads.refusal));
    require_same(best.outputs, threads.outputs, "one thread and two");
  }
  return best;
}

}  // namespace slipway::fuzz
