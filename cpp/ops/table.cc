// Expands ops.def into declarations and the run-time table.
#include "ops/table.h"

#include <array>

namespace slipway {

// ---- declarations ----
#define SLIPWAY_ROW_View(id) void infer_##id(InferContext&);
#define SLIPWAY_ROW_Control(id) void infer_##id(InferContext&);
#define SLIPWAY_ROW_Kernel(id)                               \
  void infer_##id(InferContext&);                            \
  std::shared_ptr<const void> prepare_##id(PrepareContext&); \
  namespace scalar {                                         \
  void id(const OpCall&) noexcept;                           \
  }
#define SLIPWAY_ROW_Elementwise(id) SLIPWAY_ROW_Kernel(id)
#define SLIPWAY_DECLARE_NONE(id)
#define SLIPWAY_DECLARE_SIMD(id)   \
  namespace baseline {             \
  void id(const OpCall&) noexcept; \
  }                                \
  namespace avx2 {                 \
  void id(const OpCall&) noexcept; \
  }                                \
  namespace avx512 {               \
  void id(const OpCall&) noexcept; \
  }                                \
  namespace neon {                 \
  void id(const OpCall&) noexcept; \
  }
#define SLIPWAY_OP(id, onnx, domain, low, high, tolerance, kind, simd, cuda) \
  SLIPWAY_ROW_##kind(id) SLIPWAY_DECLARE_##simd(id)
#include "ops/ops.def"
#undef SLIPWAY_OP

namespace {

// ---- rows ----
#if defined(SLIPWAY_HAS_AVX)
#define SLIPWAY_COLUMNS(id) &baseline::id, &avx2::id, &avx512::id, &avx512::id, nullptr
#elif defined(SLIPWAY_HAS_NEON)
#define SLIPWAY_COLUMNS(id) &baseline::id, nullptr, nullptr, nullptr, &neon::id
#else
#define SLIPWAY_COLUMNS(id) &baseline::id, nullptr, nullptr, nullptr, nullptr
#endif
#define SLIPWAY_HAS_NONE false
#define SLIPWAY_HAS_CUDA true
#define SLIPWAY_KERNELS_View(id, simd) \
  nullptr, {}
#define SLIPWAY_KERNELS_Control(id, simd) \
  nullptr, {}
#define SLIPWAY_KERNELS_Kernel(id, simd) \
  &prepare_##id, { &scalar::id, SLIPWAY_KERNELS_##simd(id) }
#define SLIPWAY_KERNELS_Elementwise(id, simd) SLIPWAY_KERNELS_Kernel(id, simd)
#define SLIPWAY_KERNELS_NONE(id) nullptr, nullptr, nullptr, nullptr, nullptr
#define SLIPWAY_KERNELS_SIMD(id) SLIPWAY_COLUMNS(id)
#define SLIPWAY_OP(id, onnx, domain, low, high, tolerance, kind, simd, cuda) \
  OpRow{#id,                                                                 \
        onnx,                                                                \
        domain,                                                              \
        low,                                                                 \
        high,                                                                \
        Tolerance::k##tolerance,                                             \
        RowKind::k##kind,                                                    \
        &infer_##id,                                                         \
        SLIPWAY_KERNELS_##kind(id, simd),                                    \
        SLIPWAY_HAS_##cuda},

constexpr OpRow kTable[] = {
#include "ops/ops.def"
};
#undef SLIPWAY_OP

}  // namespace

std::span<const OpRow> op_table() noexcept { return kTable; }

const OpRow* find_row(std::string_view domain, std::string_view onnx) noexcept {
  for (const OpRow& row : kTable) {
    if (row.onnx == onnx && row.domain == domain) return &row;
  }
  return nullptr;
}

void resolve(Node& node) {
  node.row = find_row(node.domain, node.op);
  if (node.row == nullptr) {
    fail(Code::kUnsupported, "operator ", quote(node.op), " of domain ", quote(node.domain),
         " is not supported; `slipway ops` lists those that are");
  }
  if (node.opset < node.row->min_opset || node.opset > node.row->max_opset) {
    fail(Code::kUnsupported, "opset ", node.opset, " is not supported for ", node.op, ", supported are ",
         node.row->min_opset, " to ", node.row->max_opset);
  }
}

namespace {

constexpr int kMostFaults = 20;

struct Faults {
  std::string text;
  int count = 0;
};

void resolve_all(Graph& graph, const std::string& around, Faults& faults) {
  for (Node& node : graph.nodes) {
    try {
      resolve(node);
    } catch (const Error& error) {
      if (++faults.count > kMostFaults) continue;
      faults.text += concat(faults.count > 1 ? "\n" : "", around, error.at(node.title()).message());
    }
    for (const auto& [name, body] : node.bodies()) {
      auto resolved = std::make_shared<Graph>(*body);
      resolve_all(*resolved, concat(around, node.title(), ": "), faults);
      node.attributes.insert_or_assign(name, std::shared_ptr<const Graph>(std::move(resolved)));
    }
  }
}

}  // namespace

void resolve_all(Graph& graph) {
  Faults faults;
  resolve_all(graph, "", faults);
  if (faults.count > kMostFaults) faults.text += concat("\nand ", faults.count - kMostFaults, " more nodes");
  if (faults.count > 0) throw Error(Code::kUnsupported, faults.text);
}

Kernel choose_kernel(const OpRow& row, const Target& target, Isa* ran) {
  const Isa isa = target.isa;
  if (isa == Isa::kCuda) {
    const Kernel kernel = row.has_cuda ? target.device->find_kernel(row.id) : nullptr;
    if (kernel == nullptr) fail(Code::kUnsupported, "operator ", row.onnx, " has no CUDA kernel; use device cpu");
    *ran = isa;
    return kernel;
  }
  const auto take = [&](Isa column) {
    *ran = column;
    return row.kernels[static_cast<int>(column)];
  };
  if (isa == Isa::kNeon) return row.kernels[static_cast<int>(isa)] != nullptr ? take(isa) : take(Isa::kScalar);
  for (int column = static_cast<int>(isa); column > 0; --column) {
    if (row.kernels[column] != nullptr) return take(static_cast<Isa>(column));
  }
  return take(Isa::kScalar);
}

}  // namespace slipway
