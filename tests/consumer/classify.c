// Asks a classifier about one row of numbers, in C: classify_c BUNDLE NUMBER...
#include <slipway/c.h>
#include <stdio.h>
#include <stdlib.h>

enum { kMost = 256 };

// Prints the label at a place of a JSON list of plain strings, and gives the length of what it printed.
static int print_label(const char* list, int place) {
  const char* begin = list;
  for (int quotes = 0; *begin != '\0' && quotes <= 2 * place; ++begin) quotes += *begin == '"';
  int length = 0;
  while (begin[length] != '\0' && begin[length] != '"') ++length;
  return printf("%.*s\n", length, begin);
}

static int classify(const slipway_session* session, int count, char** numbers) {
  float row[kMost];
  float scores[kMost];
  char message[256];
  for (int i = 0; i < count; ++i) row[i] = strtof(numbers[i], NULL);
  const slipway_view input = {row, SLIPWAY_FLOAT32, 2, {1, count}};
  slipway_mutable_view output = {.data = scores, .bytes = sizeof scores};
  if (slipway_run(session, &input, 1, &output, 1, message, sizeof message) != SLIPWAY_OK) {
    fprintf(stderr, "classify_c: %s\n", message);
    return 1;
  }
  int best = 0;
  for (int i = 1; i < output.sizes[1]; ++i) best = scores[i] > scores[best] ? i : best;
  const char* labels = slipway_metadata(session, "slipway.labels");
  return labels == NULL || print_label(labels, best) < 0;
}

int main(int argc, char** argv) {
  if (argc < 3 || argc > kMost || slipway_abi_version() != SLIPWAY_ABI_VERSION) {
    fprintf(stderr, "usage: classify_c BUNDLE NUMBER... (with slipway %d of the C interface)\n", SLIPWAY_ABI_VERSION);
    return 2;
  }
  char message[256];
  slipway_session* session = NULL;
  if (slipway_open(argv[1], NULL, &session, message, sizeof message) != SLIPWAY_OK) {
    fprintf(stderr, "classify_c: %s\n", message);
    return 1;
  }
  const int code = classify(session, argc - 2, argv + 2);
  slipway_close(session);
  return code;
}
