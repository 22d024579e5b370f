// A product of float32 matrices on tensor cores, as its CUDA kernels see it.
#pragma once

#include <cstdint>

namespace slipway {

/// [rows, terms] times [columns, terms] transposed. Terms are summed slice by slice, and slices added up in order, by
/// one block or by as many as there are slices: the bits are the same.
struct ProductShape {
  int64_t rows = 0;
  int64_t columns = 0;
  int64_t terms = 0;
  bool is_rounded = false;  ///< to TF32: a third of the work, 11 significant bits of every operand
  int64_t slice = 0;        ///< terms of a slice, a multiple of 32; 0: the product is none for tensor cores
  int ranks = 1;            ///< blocks of a cluster, one for each slice; 1: a block has all slices
};

}  // namespace slipway
