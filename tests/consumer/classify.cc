// Asks a classifier about one row of numbers: classify BUNDLE NUMBER...
#include <slipway/slipway.h>

#include <algorithm>
#include <iomanip>
#include <iostream>
#include <sstream>

int main(int argc, char** argv) try {
  if (argc < 3) throw slipway::Error(slipway::Code::kUsage, "usage: classify BUNDLE NUMBER...");
  const slipway::Session session = slipway::Session::open(argv[1]);
  std::vector<float> row;
  for (int i = 2; i < argc; ++i) row.push_back(std::stof(argv[i]));
  const slipway::TensorView input{row.data(), slipway::DType::kFloat32, {1, std::ssize(row)}};
  const std::vector<slipway::Tensor> outputs = session.run({&input, 1});
  const std::span<const float> scores = outputs[0].view().span<float>();
  const auto best = std::max_element(scores.begin(), scores.end()) - scores.begin();
  std::istringstream labels(session.metadata().at("slipway.labels"));  // a JSON list: ["number", "fizz", ...]
  std::string label;
  for (auto i = best; i >= 0; --i) labels.ignore() >> std::quoted(label), labels.ignore();
  std::cout << label << '\n';
} catch (const std::exception& error) {
  std::cerr << "classify: " << error.what() << '\n';
  return 1;
}
