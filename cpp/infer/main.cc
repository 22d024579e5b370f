// slipway-infer: runs a bundle or an ONNX file from the command line, without Python.
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "base/error.h"
#include "infer/arguments.h"
#include "infer/measure.h"
#include "infer/npy.h"
#include "infer/predict.h"
#include "infer/present.h"
#include "infer/random.h"
#include "infer/ranges.h"
#include "infer/selftest.h"
#include "infer/sources.h"
#include "infer/utf8.h"

namespace {

using namespace slipway;         // NOLINT(google-build-using-namespace): the program's own file
using namespace slipway::infer;  // NOLINT(google-build-using-namespace)

// The exit codes of every slipway command; mirrored in python/slipway/errors.py.
enum ExitCode { kOk = 0, kError = 1, kUsage = 2, kMismatch = 3, kUnavailable = 4, kDamaged = 6, kInterrupted = 130 };

ExitCode exit_code_of(Code code) {
  switch (code) {
    case Code::kUsage:
      return kUsage;
    case Code::kUnavailable:
      return kUnavailable;
    case Code::kDamaged:
      return kDamaged;
    default:
      return kError;
  }
}

pthread_t main_thread;  // set before there are others

extern "C" void on_interrupt(int number) {
  // The main thread may be holding it back (files.cc), so no other thread may end the program.
  if (::pthread_equal(::pthread_self(), main_thread) == 0) {
    const int before = errno;
    (void)::pthread_kill(main_thread, number);
    errno = before;
    return;
  }
  constexpr std::string_view kLine = "slipway-infer: interrupted\n";
  if (::write(STDERR_FILENO, kLine.data(), kLine.size()) < 0) _exit(kInterrupted);
  _exit(kInterrupted);
}

/// Gives closed streams a file: else the first output file would be standard output. Writing to stdout then fails.
void open_closed_streams() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(number, F_GETFD) >= 0) continue;
    if (::open("/dev/null", number == STDERR_FILENO ? O_WRONLY : O_RDONLY) < 0) _exit(kError);
  }
}

/// One line, which cannot steer a terminal: messages name files and models of strangers.
void report(const char* message) {
  std::string text;
  for (const char* c = message; *c != '\0'; ++c) *c == '\n' ? text += "; " : text += *c;
  const std::string line = concat("slipway-infer: ", printable(text), "\n");
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

/// The arrays of --input at the places of their inputs; an input without one stays empty.
std::vector<Tensor> read_given(const Signature& signature, const std::vector<std::string>& texts) {
  std::vector<Tensor> given(signature.inputs.size());
  for (const std::string& text : texts) {
    std::size_t place = given.size();
    std::string file = text;
    for (std::size_t i = 0; i < given.size(); ++i) {
      const std::string prefix = signature.inputs[i].info.name + "=";
      if (!text.starts_with(prefix)) continue;
      place = i;
      file = text.substr(prefix.size());
    }
    if (place == given.size()) {
      std::string names;
      for (const InputPort& port : signature.inputs) names += (names.empty() ? "" : ", ") + quote(port.info.name);
      if (given.size() != 1) fail(Code::kUsage, "--input: write NAME=FILE.npy; the model's inputs are ", names);
      place = 0;
    }
    const std::string& name = signature.inputs[place].info.name;
    if (given[place].dtype() != DType::kNone) fail(Code::kUsage, "--input: ", quote(name), " is given twice");
    given[place] = read_npy(file);
  }
  return given;
}

/// What breaks a rule in a bundle is damage of the bundle, as for --selftest; in a plain file it is an error.
template <typename Open>
auto in_bundle(const Arguments& arguments, const Open& open) {
  try {
    return open();
  } catch (const Error& error) {
    std::error_code ignored;
    const bool is_bundle = std::filesystem::is_directory(arguments.model, ignored);
    if (error.code() != Code::kModel || !is_bundle) throw;
    throw Error(Code::kDamaged, error.at(concat("bundle ", quote(arguments.model, 400), " is damaged")).message());
  }
}

/// A model with its meaning, and how its results leave the program.
class Program final {
 public:
  explicit Program(const Arguments& arguments)
      : arguments_(arguments),
        engine_(in_bundle(arguments, [&] { return open_engine(arguments.model, arguments.engine); })),
        signature_(in_bundle(
            arguments, [&] { return read_signature(engine_->inputs(), engine_->outputs(), engine_->metadata()); })),
        files_(signature_, arguments.output, arguments.output_folder),
        is_terminal_(isatty(STDOUT_FILENO) != 0) {}

  void run() {
    if (arguments_.iterations > 0) {
      run_measured();
    } else if (arguments_.random || !arguments_.inputs.empty()) {
      run_tensors();
    } else {
      run_items();
    }
    files_.finish();
  }

 private:
  /// Ready inputs, with the items that were encoded for them.
  struct Batch {
    std::vector<Tensor> inputs;
    std::vector<Item> items;
    std::string name;
  };

  Batch one_batch() const {
    if (arguments_.random || !arguments_.has_source()) {
      return {random_inputs(signature_, arguments_.shapes, arguments_.seed), {}, "random"};
    }
    Batch batch;
    std::vector<Tensor> given = read_given(signature_, arguments_.inputs);
    std::vector<bool> is_given;
    for (const Tensor& tensor : given) is_given.push_back(tensor.dtype() != DType::kNone);
    batch.items = open_arguments(signature_, arguments_, is_given)->next();
    std::vector<const Item*> pointers;
    for (const Item& item : batch.items) pointers.push_back(&item);
    batch.inputs = encode(signature_, pointers, std::move(given));
    if (!arguments_.inputs.empty()) batch.name = arguments_.inputs[0];
    return batch;
  }

  void run_measured() const {
    const Batch batch = one_batch();
    int64_t entries = 0;
    for (std::size_t i = 0; i < batch.inputs.size(); ++i) {
      const int axis = signature_.inputs[i].batch_axis;
      if (axis >= 0 && axis < batch.inputs[i].shape().rank()) entries = batch.inputs[i].shape()[axis];
    }
    check_ranges(signature_, batch.inputs);
    measure(*engine_, batch.inputs, entries, arguments_);
  }

  void run_tensors() {
    const Batch batch = one_batch();
    show(predict_tensors(*engine_, signature_, batch.inputs, batch.items, batch.name, arguments_.top));
  }

  void run_items() {
    const std::unique_ptr<Source> source =
        arguments_.has_source() ? open_arguments(signature_, arguments_, std::vector<bool>(signature_.inputs.size()))
                                : open_standard_input(signature_);
    for (std::vector<Item> items = source->next(); !items.empty(); items = source->next()) {
      show(predict(*engine_, signature_, items, arguments_.top));
    }
  }

  void show(std::vector<Result> results) {
    if (arguments_.json) {
      print(json_of(signature_, results));
    } else if (!files_.is_wanted()) {
      print(table_of(signature_, results, is_terminal_));
    }
    files_.add(results);
  }

  const Arguments& arguments_;
  std::unique_ptr<Engine> engine_;
  Signature signature_;
  OutputFiles files_;
  bool is_terminal_;
};

ExitCode run(const std::vector<std::string>& texts) {
  const Arguments arguments = parse_arguments(texts);
  switch (arguments.action) {
    case Action::kHelp:
      print(usage());
      return kOk;
    case Action::kVersion:
      print(concat("slipway-infer ", version(), " (", image_libraries(), ")\n"));
      return kOk;
    case Action::kSelftest:
      if (run_selftest(arguments)) return kOk;
      report("selftest: outputs differ beyond tolerance");
      return kMismatch;
    case Action::kPredict:
      break;
  }
  const bool reads_lines = !arguments.has_source() && arguments.iterations == 0;
  if (reads_lines && isatty(STDIN_FILENO) != 0) {
    (void)std::fputs(usage().c_str(), stderr);
    fail(Code::kUsage, "no input; give --text, --image, --csv, --input or --random, or lines on standard input");
  }
  Program(arguments).run();
  return kOk;
}

}  // namespace

int main(int argc, char** argv) {
  open_closed_streams();
  main_thread = ::pthread_self();
  for (const int number : {SIGINT, SIGTERM}) {
    if (::signal(number, on_interrupt) == SIG_IGN) ::signal(number, SIG_IGN);  // a shell's background work
  }
  try {
    return run(std::vector<std::string>(argv + (argc > 0 ? 1 : 0), argv + argc));
  } catch (const Error& error) {
    report(error.what());
    return exit_code_of(error.code());
  } catch (const std::bad_alloc&) {
    report("out of memory");
  } catch (const std::exception& error) {
    report(error.what());
  }
  return kError;
}
