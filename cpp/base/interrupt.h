// Stopping a run between the steps of its loops: whoever hosts the engine may be asked to (Ctrl-C in Python).
#pragma once

namespace slipway {

/// Called now and then by threads that run a loop; what it throws ends the run.
using InterruptCheck = void (*)();

/// Of the process, once; null: runs are not stopped.
void set_interrupt_check(InterruptCheck check) noexcept;
void check_interrupt();

}  // namespace slipway
