// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// Other stations that use addresses of ours (RFC 5227, RFC 4862), as workers hear of them and the
// control thread tells. It knows neither ports nor how such a station is heard.

#include <cstdint>
#include <mutex>
#include <vector>

#include "flows/numbers.hpp"

namespace penstock::engine {

struct AddressConflict {
  uint16_t link = 0;  ///< InterfaceView::link
  flows::IpAddress address;
  flows::MacAddress mac;  ///< the other station's; the last one heard
  uint64_t heard_ns = 0;
  uint64_t defended_ns = 0;
};

class AddressConflicts {
 public:
  static constexpr uint64_t kDefendNs = 10'000'000'000;  ///< RFC 5227 section 1.1, DEFEND_INTERVAL
  /// A conflict of which nothing was heard for so long is over.
  static constexpr uint64_t kOverNs = 600'000'000'000;
  static constexpr size_t kMost = 64;  ///< a station that claims everything fills no memory

  AddressConflicts() { conflicts_.reserve(kMost); }

  /// Any worker. True when the address is to be defended now. Waits for nobody: what comes while
  /// another looks at the list is not noted, the next such packet is. Many of them are somebody's
  /// attack: nothing here grows.
  bool note(uint16_t link, const flows::IpAddress& address, const flows::MacAddress& mac,
            uint64_t now_ns);

  /// Control thread: those that are not over.
  std::vector<AddressConflict> current(uint64_t now_ns) const;

 private:
  mutable std::mutex mutex_;
  std::vector<AddressConflict> conflicts_;
};

}  // namespace penstock::engine
