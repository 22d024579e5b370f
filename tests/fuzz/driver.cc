// What stands in for libFuzzer where there is none: changes the target's seeds at random, but always in the same way.
// It takes libFuzzer's options of the same names and learns nothing of the code but whether an input was read.
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "mutate.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, std::size_t size);

namespace slipway::fuzz {
namespace {

constexpr std::size_t kMaxPool = 4096;
constexpr int64_t kPulse = 1 << 18;
constexpr int kFound = 77;  // libFuzzer's exit code

struct Options {
  int64_t runs = -1;
  uint64_t seed = 1;
  int64_t seconds = 0;
  int64_t timeout = 10;
  int64_t rss_megabytes = 2048;
  std::string dictionary;
  std::string prefix = "./";
  bool asks_for_all = false;
  std::vector<std::string> files;
};

// What the signal handler needs; a file is opened only where something is wrong.
struct Current {
  const std::string* input = nullptr;
  volatile std::sig_atomic_t number = 0;
  volatile std::sig_atomic_t seconds = 0;
  std::string file;
  int64_t timeout = 10;
};
Current current;

void say(const char* text) { (void)!write(STDERR_FILENO, text, std::strlen(text)); }

// Keeps the input. Async-signal-safe but for what a broken process may do anyway.
[[noreturn]] void keep_and_exit(const char* why) {
  say("\n");
  say(kTarget.name);
  say(why);
  if (current.input != nullptr) {
    if (std::FILE* out = std::fopen(current.file.c_str(), "wb")) {
      std::fwrite(current.input->data(), 1, current.input->size(), out);
      std::fclose(out);
    }
    say("; the input is kept, repeat with: fuzz_");
    say(kTarget.name);
    say(" ");
    say(current.file.c_str());
  }
  say("\n");
  _exit(kFound);
}

void on_fault(int) { keep_and_exit(": crashed"); }

// Every second of processor time; a busy machine makes no input late.
void on_second(int) {
  static std::sig_atomic_t last = 0;
  current.seconds = last == current.number ? current.seconds + 1 : 0;
  last = current.number;
  if (current.seconds > current.timeout) keep_and_exit(": took too long");
}

void watch(const Options& options) {
  current.timeout = options.timeout;
  current.file = options.prefix + "crash-" + kTarget.name + "-" + std::to_string(getpid());
  for (const int number : {SIGABRT, SIGILL, SIGTRAP}) std::signal(number, &on_fault);
#if !defined(__SANITIZE_ADDRESS__)
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE}) std::signal(number, &on_fault);
#endif
  std::signal(SIGPROF, &on_second);
  const itimerval each_second{{1, 0}, {1, 0}};
  setitimer(ITIMER_PROF, &each_second, nullptr);
}

void run_one(const std::string& input, const Options& options) {
  current.input = &input;
  current.number = (current.number + 1) & 0x3FFFFFFF;
  // A copy of its own, so that reading past the end is seen.
  const std::vector<uint8_t> bytes(input.begin(), input.end());
  (void)LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  if (current.number % 16 == 0) {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > options.rss_megabytes * 1024) keep_and_exit(": took too much memory");
  }
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    std::fprintf(stderr, "cannot read %s\n", path.c_str());
    std::exit(1);
  }
  return {std::istreambuf_iterator<char>(in), {}};
}

int64_t number(std::string_view text) {
  char* end = nullptr;
  const std::string copy(text);
  const int64_t value = std::strtoll(copy.c_str(), &end, 10);
  if (copy.empty() || *end != '\0') {
    std::fprintf(stderr, "%s is not a number\n", copy.c_str());
    std::exit(2);
  }
  return value;
}

Options options_of(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    const std::size_t equals = argument.find('=');
    const std::string_view value = equals == std::string_view::npos ? "" : argument.substr(equals + 1);
    const auto is = [&](std::string_view name) { return argument.substr(0, equals) == name; };
    if (!argument.starts_with('-')) {
      options.files.emplace_back(argument);
    } else if (is("-runs")) {
      options.runs = number(value);
    } else if (is("-seed")) {
      options.seed = static_cast<uint64_t>(number(value));
    } else if (is("-max_total_time")) {
      options.seconds = number(value);
    } else if (is("-timeout")) {
      options.timeout = number(value);
    } else if (is("-rss_limit_mb")) {
      options.rss_megabytes = number(value);
    } else if (is("-dict")) {
      options.dictionary = value;
    } else if (is("-artifact_prefix")) {
      options.prefix = value;
    } else if (is("-all")) {
      options.asks_for_all = true;
    } else {
      std::fprintf(stderr,
                   "%s: unknown option %s, expected -runs, -seed, -max_total_time, -timeout, -rss_limit_mb, -dict or "
                   "-artifact_prefix, each with =VALUE, or -all\n",
                   kTarget.name, argv[i]);
      std::exit(2);
    }
  }
  return options;
}

class Driver {
 public:
  explicit Driver(const Options& options)
      : options_(options), mutator_(kTarget, words(options), options.seed), pool_(kTarget.seeds()) {}

  // Runs the files named; those in a folder are seeds too. True where a file, not a folder, was among them.
  bool replay() {
    bool has_file = false;
    for (const std::string& name : options_.files) {
      if (std::filesystem::is_directory(name)) {
        for (const auto& entry : std::filesystem::recursive_directory_iterator(name)) {
          if (entry.is_regular_file()) pool_.push_back(read_file(entry.path()));
        }
        continue;
      }
      const int64_t read = tally.read;
      run_one(read_file(name), options_);
      std::printf("%s: %s\n", name.c_str(), tally.read > read ? "read" : "refused");
      has_file = true;
    }
    return has_file;
  }

  int go() {
    begin_ = std::chrono::steady_clock::now();
    for (const std::string& seed : pool_) run(seed);
    seeds_ = pool_.size();
    for (int64_t done = 0; done != options_.runs && !is_late(done); ++done) {
      std::string input = next();
      const int64_t read = tally.read;
      run(input);
      if (tally.read > read) keep(std::move(input));
    }
    return finish();
  }

 private:
  static std::vector<std::string> words(const Options& options) {
    std::vector<std::string> all = words_of(kTarget);
    if (!options.dictionary.empty() && !add_dictionary(options.dictionary, all)) {
      std::fprintf(stderr, "cannot read the dictionary %s\n", options.dictionary.c_str());
      std::exit(1);
    }
    return all;
  }

  void run(const std::string& input) {
    run_one(input, options_);
    ++runs_;
    if ((runs_ & (runs_ - 1)) == 0 || runs_ % kPulse == 0) {
      std::fprintf(stderr, "#%lld\tread: %lld run: %lld\n", static_cast<long long>(runs_),
                   static_cast<long long>(tally.read), static_cast<long long>(tally.ran));
    }
  }

  std::string next() {
    if (kTarget.form != Form::kDecisions || mutator_.pick(2) == 0) {
      return mutator_.changed(pool_[mutator_.pick(pool_.size())], pool_[mutator_.pick(pool_.size())]);
    }
    std::string fresh(16 + mutator_.pick(240), '\0');
    for (char& byte : fresh) byte = static_cast<char>(mutator_.pick(256));
    return fresh;
  }

  // What was read is worth further changes; the seeds stay.
  void keep(std::string input) {
    if (pool_.size() < kMaxPool + seeds_) return pool_.push_back(std::move(input));
    pool_[seeds_ + mutator_.pick(kMaxPool)] = std::move(input);
  }

  [[nodiscard]] double elapsed() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
  }
  [[nodiscard]] std::string missing() const {
    return options_.asks_for_all && kTarget.missing != nullptr ? kTarget.missing() : "";
  }
  // A slow machine gets the time that it needs to reach all.
  [[nodiscard]] bool is_late(int64_t done) const {
    if (options_.seconds == 0 || done % 16 != 0 || elapsed() <= static_cast<double>(options_.seconds)) return false;
    return missing().empty();
  }

  int finish() {
    current.input = nullptr;
    const double seconds = elapsed();
    const auto count = static_cast<long long>(runs_);
    std::printf("%s: %lld inputs in %.1f s (%.0f a second), %lld read, %lld run, seed %llu\n", kTarget.name, count,
                seconds, static_cast<double>(runs_) / seconds, static_cast<long long>(tally.read),
                static_cast<long long>(tally.ran), static_cast<unsigned long long>(options_.seed));
    const std::string rest = missing();
    if (rest.empty()) return 0;
    std::fprintf(stderr, "%s: no input reached these:\n%s", kTarget.name, rest.c_str());
    return 1;
  }

  const Options& options_;
  Mutator mutator_;
  std::vector<std::string> pool_;
  std::size_t seeds_ = 0;
  int64_t runs_ = 0;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace
}  // namespace slipway::fuzz

int main(int argc, char** argv) {
  using namespace slipway::fuzz;
  const Options options = options_of(argc, argv);
  watch(options);
  Driver driver(options);
  return driver.replay() ? 0 : driver.go();
}
