// The checksums of a bundle.
#pragma once

#include <set>
#include <string>

namespace slipway::infer {

/// Checks every file that the bundle's SHA256SUMS lists and gives their names. Throws Error(kDamaged) with all faults
/// at once; a name that leads out of the bundle is one, a link, and a file that every bundle has and that is not
/// listed.
[[nodiscard]] std::set<std::string> check_sums(const std::string& bundle);

/// A file of the bundle by a name relative to `folder` in it. Throws Error(kDamaged) where it is not listed.
[[nodiscard]] std::string listed_file(const std::string& bundle, const std::set<std::string>& listed,
                                      const std::string& folder, const std::string& name);

}  // namespace slipway::infer
