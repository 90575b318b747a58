// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#pragma once

// SCTP endpoints in user space: usrsctp behind an interface in our own terms. Nothing runs by
// itself: whoever owns the stack delivers packets, passes the time and takes the events. It
// knows SCTP packets and user messages; it need not know addresses, IP, UDP or who carries what.
//
// usrsctp is one per process, so is UsrsctpStack, and all calls come from one thread. Its timers
// run on the time passed in. But it measures round trips, cookies and which chunks a timeout may
// repeat by gettimeofday(), so the time passed in must run as fast as the wall clock; tests that
// want their own time replace gettimeofday().

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "flows/bytes.hpp"
#include "flows/numbers.hpp"
#include "flows/result.hpp"

struct socket;
struct sctp_assoc_change;

namespace penstock::engine {

class Association;

/// Where an association's packets go: called from inside deliver(), advance(), send() and the
/// like with a whole SCTP packet, CRC32c included, that is valid during the call only. It must
/// put the bytes aside and return; it must not call the stack. `dont_fragment` is false for
/// packets built before the path MTU fell (RFC 9260 section 8.5: those may be IP fragments).
struct PacketSink {
  void (*put)(void* context, flows::ByteView packet, bool dont_fragment) = nullptr;
  void* context = nullptr;
};

struct AssociationOptions {
  flows::SctpPort local_port;
  flows::SctpPort remote_port;     ///< 0 for a listener: any
  uint16_t outbound_streams = 16;  ///< asked for; AssociationUp says what came of it
  uint16_t inbound_streams = 2048;
  uint16_t path_mtu = 1452;  ///< bytes of the largest SCTP packet, common header included; >= 524
  uint32_t largest_message = 256 * 1024;      ///< bytes, either direction
  uint32_t send_buffer = 2 * 1024 * 1024;     ///< bytes; raised to hold one largest_message
  uint32_t receive_buffer = 2 * 1024 * 1024;  ///< bytes; raised to hold two
  // Timers of RFC 9260 section 16, in milliseconds, for a path inside one site or region.
  uint32_t rto_initial = 500;
  uint32_t rto_min = 100;
  uint32_t rto_max = 5000;
  uint32_t heartbeat_interval = 5000;
  uint32_t cookie_life = 60000;
  uint32_t sack_delay = 20;
  uint16_t association_retransmits = 10;
  uint16_t path_retransmits = 5;
  uint16_t init_attempts = 8;
};

/// A user message, always whole. `ppid` in host byte order.
struct MessageReceived {
  uint16_t stream = 0;
  uint32_t ppid = 0;
  bool unordered = false;
  std::vector<uint8_t> bytes;
};
struct AssociationUp {
  uint16_t outbound_streams = 0, inbound_streams = 0;
};
/// The peer began anew with the same ports (RFC 9260 section 5.2); what was in flight is gone.
struct AssociationRestarted {};
/// The peer wants to end: it still takes what was sent, nothing new can be sent.
struct PeerShutsDown {};

enum class DownReason : uint8_t {
  shutdown,         ///< graceful, all data delivered
  aborted_by_peer,  ///< the peer sent ABORT
  aborted_here,     ///< abort() was called
  lost,             ///< no answer within the retransmission limits
  message_too_big,  ///< the peer sent more than largest_message; aborted here
};
struct AssociationDown {
  DownReason reason = DownReason::lost;
};

using AssociationEvent = std::variant<MessageReceived, AssociationUp, AssociationRestarted,
                                      PeerShutsDown, AssociationDown>;

enum class SendStatus : uint8_t {
  sent,         ///< taken over whole; it will arrive or the association goes down
  would_block,  ///< send buffer full: again after packets were delivered or time has passed
  refused,      ///< empty, larger than largest_message, or a stream that there is not
  not_up,
};

/// Sums over all associations of the process since the stack was created.
struct UsrsctpStatistics {
  uint32_t checksum_errors = 0;
  uint32_t retransmitted_chunks = 0;
  uint32_t aborted_associations = 0;
};

class UsrsctpStack {
 public:
  /// Fails when the process has one already.
  static flows::Result<std::unique_ptr<UsrsctpStack>> create();
  /// Aborts what is still open and ends usrsctp, in bounded time.
  ~UsrsctpStack();
  UsrsctpStack(const UsrsctpStack&) = delete;
  UsrsctpStack& operator=(const UsrsctpStack&) = delete;

  /// Runs the timers of all associations. `now` in nanoseconds from any origin, not decreasing;
  /// to be called every few milliseconds.
  void advance(uint64_t now);

  /// An endpoint on a path of its own. It does nothing until connect() or listen().
  flows::Result<std::unique_ptr<Association>> open(const AssociationOptions& options,
                                                   PacketSink sink);

  UsrsctpStatistics statistics() const;

 private:
  friend class Association;
  UsrsctpStack();
  static int put_packet(void* handle, void* bytes, size_t length, uint8_t tos, uint8_t set_df);

  std::map<uintptr_t, Association*> associations_;
  uintptr_t next_handle_ = 1;
  std::deque<uintptr_t> resting_handles_;  ///< of closed associations
  std::optional<uint64_t> advanced_to_;
  std::vector<uint8_t> read_buffer_;
};

/// One association over one path, for its whole life: after AssociationDown it can be connected
/// again, and a listener takes the next peer. Destroying it aborts what is up (the sink is still
/// called then).
class Association {
 public:
  ~Association();
  Association(const Association&) = delete;
  Association& operator=(const Association&) = delete;

  flows::Result<void> connect();
  flows::Result<void> listen();

  /// An SCTP packet from the path. False when it is none of ours: shorter than a common header,
  /// longer than IP carries, or for other ports. Its chunks and tag are for the caller to check.
  bool deliver(flows::ByteView packet);
  /// What happened, oldest first; to be called until it has nothing more. Messages not taken
  /// stay in the receive buffer and close the peer's window.
  std::optional<AssociationEvent> poll();

  SendStatus send(uint16_t stream, uint32_t ppid, bool unordered, flows::ByteView message);
  /// Graceful end: everything sent is delivered first.
  void shutdown();
  void abort();
  /// Bytes of the largest SCTP packet from now on; a larger value than before changes nothing.
  /// Chunks already built keep their size (see PacketSink).
  void lower_path_mtu(uint16_t mtu);

  bool is_up() const { return up_; }

 private:
  friend class UsrsctpStack;
  struct Partial {
    uint16_t stream;
    bool unordered;
    std::vector<uint8_t> bytes;
  };

  Association(UsrsctpStack& stack, uintptr_t handle, const AssociationOptions& options,
              PacketSink sink);
  flows::Result<void> set_up();
  void close();
  void control(uint32_t id, uint16_t flags);
  std::optional<AssociationEvent> take_notification(flows::ByteView bytes, flows::SctpPort from);
  std::optional<AssociationEvent> take_change(const sctp_assoc_change& change, bool with_abort,
                                              flows::SctpPort from);
  std::optional<AssociationEvent> take_data(MessageReceived part, bool complete);
  AssociationEvent went_down(DownReason reason);

  UsrsctpStack* stack_;  ///< null once the stack is gone
  const uintptr_t handle_;
  AssociationOptions options_;
  PacketSink sink_;
  struct ::socket* socket_ = nullptr;
  uint32_t id_ = 0;            ///< usrsctp's name of the association, while it is up
  flows::SctpPort peer_port_;  ///< 0 while anyone may come
  uint16_t outbound_streams_ = 0;
  bool up_ = false;
  std::optional<AssociationEvent> own_event_;
  std::vector<Partial> partials_;
};

}  // namespace penstock::engine
