// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// The pings that are under way, as the control thread keeps them: the orders, and what the workers'
// news say about each echo. It need not know routes or ports, nor how orders reach the workers.

#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "engine/pings.hpp"
#include "engine/telemetry/ping_report.hpp"

namespace penstock::engine {

class PingBoard {
 public:
  /// Longer than a silent neighbour is asked for (three times a second apart), so that its silence
  /// gets that name.
  static constexpr uint64_t kTimeoutNs = 4'000'000'000;
  /// Nobody looks any more: the client is gone.
  static constexpr uint64_t kForgottenNs = 5'000'000'000;

  /// Nothing, when kPings are under way. `about` is what later reports begin with; its id and the
  /// order's are made here.
  std::optional<uint64_t> add(PingOrder order, PingReport about, uint64_t now_ns);

  /// What workers are to know.
  PingOrders orders() const;

  /// Of all workers.
  void take(std::vector<PingMail>& mail);

  /// Since it was last looked at; nothing, when there is no such ping. `why` is asked what is known
  /// of an order's way when an echo stays unanswered.
  using Why = std::function<std::string(const PingOrder&)>;
  std::optional<PingReport> look(uint64_t id, uint64_t now_ns, const Why& why);
  /// True when it was there.
  bool remove(uint64_t id);
  /// Those nobody looks at. True when there were any.
  bool remove_forgotten(uint64_t now_ns);
  /// Ends those of which `note(order, tunnel's name)` says why, which is not empty. Whoever looks
  /// is told. True when there were any.
  bool end_where(const std::function<std::string(const PingOrder&, const std::string&)>& note);
  bool any() const;

 private:
  struct Echo {
    enum class State : uint8_t { unsent, waiting, answered, lost };
    State state = State::unsent;
    uint64_t sent_ns = 0;
  };
  struct Ping {
    PingOrder order;  ///< id 0: none
    PingReport report;
    std::vector<Echo> echoes;  ///< by sequence number; that of 0 stays unused
    uint64_t rtt_sum_ns = 0;
    uint64_t looked_ns = 0;
    bool stopped = false;
  };

  static void hear(Ping& ping, const PingNews& news);
  static void hear_reply(Ping& ping, Echo& echo, const PingNews& news);
  static void lose(Ping& ping, Echo& echo, PingEvent event);
  static void time_out(Ping& ping, uint64_t now_ns, const Why& why);
  Ping* find(uint64_t id);

  std::array<Ping, kPings> pings_;
  uint64_t last_id_ = 0;
};

}  // namespace penstock::engine
