// The engine for C, and for every language that calls C: open a model, look at its ports, run it in your own memory.
//
//   char message[256];
//   slipway_session* session = NULL;
//   if (slipway_open("artifacts/fizzbuzz", NULL, &session, message, sizeof message) != SLIPWAY_OK) puts(message);
//
// A function that can fail gives its code and writes a sentence into the caller's `message` of `message_bytes` bytes:
// cut to that length between characters of UTF-8, always ended by a zero, empty on success. `message` may be NULL. A
// NULL that is not allowed is SLIPWAY_USAGE, never a crash. Strings that are returned live as long as their session.
// Any number of threads may use one session at once, and so may the children of a fork, on one thread each;
// slipway_close() comes after the last of them.
#pragma once

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Grows when a function or struct of this file changes its meaning; functions are added without.
#define SLIPWAY_ABI_VERSION 1
/// Tensors have at most so many dimensions.
#define SLIPWAY_MAX_RANK 8
#define SLIPWAY_API __attribute__((visibility("default")))

/// Why something was refused.
typedef enum slipway_code {
  SLIPWAY_OK = 0,
  SLIPWAY_MODEL = 1,        ///< the file is malformed or breaks a rule of ONNX
  SLIPWAY_UNSUPPORTED = 2,  ///< valid ONNX that this engine does not have
  SLIPWAY_INPUT = 3,        ///< an input or the memory of an output does not fit the model
  SLIPWAY_LIMIT = 4,        ///< a size is above a limit, or memory is short
  SLIPWAY_FAULT = 5,        ///< a run met a value that the operator forbids
  SLIPWAY_UNAVAILABLE = 6,  ///< a device or instruction set is not there
  SLIPWAY_DAMAGED = 7,      ///< a bundle's structure does not hold
  SLIPWAY_IO = 8,           ///< a file cannot be read
  SLIPWAY_USAGE = 9         ///< the call itself is wrong
} slipway_code;

/// Element types, with the numbers of ONNX.
typedef enum slipway_dtype {
  SLIPWAY_FLOAT32 = 1,
  SLIPWAY_UINT8 = 2,
  SLIPWAY_INT8 = 3,
  SLIPWAY_INT32 = 6,
  SLIPWAY_INT64 = 7,
  SLIPWAY_BOOL = 9,
  SLIPWAY_FLOAT64 = 11
} slipway_dtype;

/// A loaded model.
typedef struct slipway_session slipway_session;

/// How to load; a field that is zero or NULL has its default. Fields are added at the end without a new ABI version.
typedef struct slipway_options {
  size_t bytes;           ///< sizeof(slipway_options), always
  const char* device;     ///< "cpu" (default), "cuda", "cuda:N"
  const char* isa;        ///< "scalar", "baseline", "avx2", "avx512", "amx", "neon"; default: the best here
  int64_t max_steps;      ///< of a Loop in one run; default: no bound
  int64_t threads;        ///< 1 (default) to 256
  const char* precision;  ///< "fp32" (default); of the weights "bf16", "int8"; of CUDA "tf32"
  int64_t max_memory;     ///< bytes that the session may hold at once; default: as many as the machine has
} slipway_options;

/// An input or output of a model.
typedef struct slipway_port {
  const char* name;
  int32_t dtype;                          ///< a slipway_dtype
  int32_t rank;                           ///< -1 where the model does not state it
  int64_t sizes[SLIPWAY_MAX_RANK];        ///< -1 where a size may differ from run to run
  const char* symbols[SLIPWAY_MAX_RANK];  ///< the name of such a size; NULL where it has none, or is a number
} slipway_port;

/// What a run reads: contiguous, row-major, aligned to its elements, unchanged while the run lasts.
typedef struct slipway_view {
  const void* data;  ///< not NULL, not even of a tensor without elements
  int32_t dtype;     ///< a slipway_dtype
  int32_t rank;      ///< 0 to SLIPWAY_MAX_RANK
  int64_t sizes[SLIPWAY_MAX_RANK];
} slipway_view;

/// What a run writes. The caller sets `data` and `bytes`, the run sets the rest. NULL `data` asks for type and shape
/// only; memory that is too small is SLIPWAY_INPUT, with all types and shapes set and nothing written to it. Memory
/// that is also an input's or another output's is SLIPWAY_INPUT before anything runs.
typedef struct slipway_mutable_view {
  void* data;     ///< aligned to its elements
  int64_t bytes;  ///< how much fits at `data`
  int32_t dtype;  ///< a slipway_dtype
  int32_t rank;
  int64_t sizes[SLIPWAY_MAX_RANK];
} slipway_mutable_view;

/// SLIPWAY_ABI_VERSION of the library; a program that was compiled for another must not go on.
SLIPWAY_API uint32_t slipway_abi_version(void);
/// "0.1.0", the library's own version.
SLIPWAY_API const char* slipway_version(void);

/// Opens an ONNX file, or the model of a bundle folder, at a path in UTF-8. On failure *session is NULL.
SLIPWAY_API slipway_code slipway_open(const char* path, const slipway_options* options, slipway_session** session,
                                      char* message, size_t message_bytes);
/// Reads an ONNX model from memory, which is not needed afterwards. On failure *session is NULL.
SLIPWAY_API slipway_code slipway_read(const void* bytes, size_t size, const slipway_options* options,
                                      slipway_session** session, char* message, size_t message_bytes);
/// Frees a session; NULL is allowed.
SLIPWAY_API void slipway_close(slipway_session* session);

/// How many there are; -1 where `session` is NULL.
SLIPWAY_API int64_t slipway_input_count(const slipway_session* session);
SLIPWAY_API int64_t slipway_output_count(const slipway_session* session);
SLIPWAY_API int64_t slipway_metadata_count(const slipway_session* session);

/// Describes an input or output, counted from 0.
SLIPWAY_API slipway_code slipway_input(const slipway_session* session, size_t index, slipway_port* port, char* message,
                                       size_t message_bytes);
SLIPWAY_API slipway_code slipway_output(const slipway_session* session, size_t index, slipway_port* port, char* message,
                                        size_t message_bytes);

/// The value of a metadata key, for example "slipway.labels"; NULL where there is none, or an argument is NULL.
SLIPWAY_API const char* slipway_metadata(const slipway_session* session, const char* key);
/// One pair of the metadata, counted from 0, sorted by key.
SLIPWAY_API slipway_code slipway_metadata_entry(const slipway_session* session, size_t index, const char** key,
                                                const char** value, char* message, size_t message_bytes);

/// Runs once: all inputs and outputs in the model's order. After a failure the memory of outputs may hold anything.
SLIPWAY_API slipway_code slipway_run(const slipway_session* session, const slipway_view* inputs, size_t input_count,
                                     slipway_mutable_view* outputs, size_t output_count, char* message,
                                     size_t message_bytes);

#ifdef __cplusplus
}
#endif
