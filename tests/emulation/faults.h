// Faults of kernels: an access to what may not be touched ends the grid with an error, as on a device.
#pragma once

namespace slipway::emulation {

/// Handles the program's faults from now on; those of the host go on to whoever handled them before. Sanitizers
/// handle faults themselves: with them it does nothing.
void watch_faults();

}  // namespace slipway::emulation
