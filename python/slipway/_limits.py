"""Limits that several rooms keep; those of the engine and of ``slipway-infer`` are the same."""

#: Threads of a session or a training (``cpp/engine.cc``).
MOST_THREADS = 256
#: Bytes of one input, encoded or drawn (``cpp/infer/encode.cc``, ``random.cc``).
MOST_INPUT_BYTES = 4 << 30
