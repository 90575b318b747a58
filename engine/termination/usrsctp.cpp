// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/termination/usrsctp.hpp"

#include <usrsctp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace penstock::engine {
namespace {

using flows::ByteView;

constexpr size_t kCommonHeader = 12;  // RFC 9260 section 3.1
constexpr uint16_t kSmallestMtu = 512 + kCommonHeader;
constexpr uint64_t kMillisecond = 1'000'000;
constexpr uint64_t kLongestStep = 60'000 * kMillisecond;
// usrsctp counts chunks, not only bytes: its 512 would stop a stream of short messages long
// before the buffers are full.
constexpr uint32_t kChunksOnQueue = 16 * 1024;
constexpr size_t kReadBuffer = 64 * 1024;
// Even without threads usrsctp starts one, for walking over all associations. It sleeps until an
// address is deregistered; then it would run beside us, hold endpoints and call the sinks. So
// addresses stay registered until the end and serve again, the one closed longest ago first and
// after some rest, so that a late packet finds nobody.
constexpr size_t kRestingHandles = 64;
constexpr int kFinishTries = 1000;
constexpr uint32_t kFinishStep = 10;  // milliseconds

// The one instance of the process: usrsctp's send callback carries no context of the stack.
UsrsctpStack* the_stack = nullptr;
bool did_not_end = false;

void* pointer(uintptr_t handle) {
  return reinterpret_cast<void*>(handle);
}

sockaddr_conn address(uintptr_t handle, flows::SctpPort port) {
  sockaddr_conn a{};
  a.sconn_family = AF_CONN;
  a.sconn_port = flows::host_order(port.value);
  a.sconn_addr = pointer(handle);
  return a;
}

flows::Error failed(const char* what) {
  return {std::string("usrsctp: ") + what + ": " + std::strerror(errno)};
}

template <class T>
bool set_option(struct ::socket* s, int option, const T& value, int level = IPPROTO_SCTP) {
  return usrsctp_setsockopt(s, level, option, &value, sizeof value) == 0;
}

bool subscribe(struct ::socket* s, uint16_t type) {
  sctp_event event{};
  event.se_assoc_id = SCTP_ALL_ASSOC;
  event.se_type = type;
  event.se_on = 1;
  return set_option(s, SCTP_EVENT, event);
}

sctp_paddrparams path_parameters(const AssociationOptions& o, uint32_t id) {
  sctp_paddrparams p{};
  p.spp_assoc_id = id;
  p.spp_hbinterval = o.heartbeat_interval;
  p.spp_pathmaxrxt = o.path_retransmits;
  p.spp_pathmtu = o.path_mtu - uint32_t{kCommonHeader};  // usrsctp leaves it out on AF_CONN
  p.spp_flags = SPP_HB_ENABLE | SPP_PMTUD_DISABLE;
  return p;
}

/// Everything that must hold before the association begins. False with errno set.
bool apply(struct ::socket* s, const AssociationOptions& o) {
  if (usrsctp_set_non_blocking(s, 1) != 0) return false;

  const int send_buffer = static_cast<int>(o.send_buffer);
  const int receive_buffer = static_cast<int>(o.receive_buffer);
  if (!set_option(s, SO_SNDBUF, send_buffer, SOL_SOCKET)) return false;
  if (!set_option(s, SO_RCVBUF, receive_buffer, SOL_SOCKET)) return false;
  // No message that we accept is ever delivered in parts.
  if (!set_option(s, SCTP_PARTIAL_DELIVERY_POINT, o.receive_buffer)) return false;

  // Closing aborts: a graceful end is asked for by shutdown() before.
  linger at_once{};
  at_once.l_onoff = 1;
  if (!set_option(s, SO_LINGER, at_once, SOL_SOCKET)) return false;

  const int on = 1;
  if (!set_option(s, SCTP_NODELAY, on) || !set_option(s, SCTP_RECVRCVINFO, on)) return false;

  sctp_initmsg init{};
  init.sinit_num_ostreams = o.outbound_streams;
  init.sinit_max_instreams = o.inbound_streams;
  init.sinit_max_attempts = o.init_attempts;
  init.sinit_max_init_timeo = static_cast<uint16_t>(std::min(o.rto_max, 65535u));
  if (!set_option(s, SCTP_INITMSG, init)) return false;

  sctp_rtoinfo rto{};
  rto.srto_initial = o.rto_initial;
  rto.srto_min = o.rto_min;
  rto.srto_max = o.rto_max;
  if (!set_option(s, SCTP_RTOINFO, rto)) return false;

  sctp_assocparams parameters{};
  parameters.sasoc_asocmaxrxt = o.association_retransmits;
  parameters.sasoc_cookie_life = o.cookie_life;
  if (!set_option(s, SCTP_ASSOCINFO, parameters)) return false;

  sctp_sack_info sack{};
  sack.sack_delay = o.sack_delay;
  sack.sack_freq = 2;
  if (!set_option(s, SCTP_DELAYED_SACK, sack)) return false;

  if (!set_option(s, SCTP_PEER_ADDR_PARAMS, path_parameters(o, SCTP_FUTURE_ASSOC))) return false;

  return subscribe(s, SCTP_ASSOC_CHANGE) && subscribe(s, SCTP_SHUTDOWN_EVENT) &&
         subscribe(s, SCTP_PARTIAL_DELIVERY_EVENT);
}

}  // namespace

flows::Result<std::unique_ptr<UsrsctpStack>> UsrsctpStack::create() {
  if (the_stack != nullptr) return flows::Error{"usrsctp: this process has a stack already"};
  if (did_not_end)
    return flows::Error{"usrsctp: the stack used before did not end; start a new process"};
  return std::unique_ptr<UsrsctpStack>(new UsrsctpStack);
}

UsrsctpStack::UsrsctpStack() : read_buffer_(kReadBuffer) {
  the_stack = this;
  usrsctp_init_nothreads(0, &UsrsctpStack::put_packet, nullptr);
  usrsctp_sysctl_set_sctp_blackhole(0);
  usrsctp_sysctl_set_sctp_no_csum_on_loopback(0);
  usrsctp_sysctl_set_sctp_max_chunks_on_queue(kChunksOnQueue);
  // What needs several addresses, the IP header's bits or a draft has nothing to stand on here.
  usrsctp_sysctl_set_sctp_ecn_enable(0);
  usrsctp_sysctl_set_sctp_auto_asconf(0);
  usrsctp_sysctl_set_sctp_asconf_enable(0);
  usrsctp_sysctl_set_sctp_auth_enable(0);
  usrsctp_sysctl_set_sctp_nrsack_enable(0);
  usrsctp_sysctl_set_sctp_pktdrop_enable(0);
}

UsrsctpStack::~UsrsctpStack() {
  while (!associations_.empty()) associations_.begin()->second->close();
  // Endpoints that were just closed are freed by a timer.
  did_not_end = true;
  for (int i = 0; i < kFinishTries && did_not_end; ++i) {
    did_not_end = usrsctp_finish() != 0;
    if (did_not_end) usrsctp_handle_timers(kFinishStep);
  }
  the_stack = nullptr;
}

void UsrsctpStack::advance(uint64_t now) {
  if (!advanced_to_ || now < *advanced_to_) {
    if (!advanced_to_) advanced_to_ = now;
    return;
  }
  const uint64_t elapsed = std::min(now - *advanced_to_, kLongestStep);
  if (elapsed < kMillisecond) return;
  // The part of a millisecond that is left counts the next time.
  advanced_to_ = now - elapsed % kMillisecond;
  usrsctp_handle_timers(static_cast<uint32_t>(elapsed / kMillisecond));
}

flows::Result<std::unique_ptr<Association>> UsrsctpStack::open(const AssociationOptions& options,
                                                               PacketSink sink) {
  if (sink.put == nullptr) return flows::Error{"usrsctp: an association needs a packet sink"};
  if (options.local_port.value == 0) return flows::Error{"usrsctp: SCTP port 0 is reserved"};
  if (options.path_mtu < kSmallestMtu)
    return flows::Error{"usrsctp: a path MTU of " + std::to_string(options.path_mtu) +
                        " bytes is below the " + std::to_string(kSmallestMtu) + " it needs"};
  if (options.rto_min > options.rto_initial || options.rto_initial > options.rto_max)
    return flows::Error{"usrsctp: rto_min <= rto_initial <= rto_max must hold"};
  uintptr_t handle = next_handle_;
  if (resting_handles_.size() > kRestingHandles) {
    handle = resting_handles_.front();
    resting_handles_.pop_front();
  } else {
    ++next_handle_;
    usrsctp_register_address(pointer(handle));
  }
  std::unique_ptr<Association> association(new Association(*this, handle, options, sink));
  if (auto done = association->set_up(); !done) return done.error();
  return association;
}

UsrsctpStatistics UsrsctpStack::statistics() const {
  sctpstat s{};
  usrsctp_get_stat(&s);
  return {.checksum_errors = s.sctps_checksumerrors,
          .retransmitted_chunks = s.sctps_sendretransdata,
          .aborted_associations = s.sctps_aborted};
}

int UsrsctpStack::put_packet(void* handle, void* bytes, size_t length, uint8_t, uint8_t set_df) {
  if (the_stack == nullptr) return 0;
  const auto found = the_stack->associations_.find(reinterpret_cast<uintptr_t>(handle));
  if (found == the_stack->associations_.end()) return 0;
  const PacketSink& sink = found->second->sink_;
  sink.put(sink.context, {static_cast<const uint8_t*>(bytes), length}, set_df != 0);
  return 0;
}

Association::Association(UsrsctpStack& stack, uintptr_t handle, const AssociationOptions& options,
                         PacketSink sink)
    : stack_(&stack),
      handle_(handle),
      options_(options),
      sink_(sink),
      peer_port_(options.remote_port) {
  options_.send_buffer = std::max(options.send_buffer, options.largest_message);
  options_.receive_buffer = std::max(options.receive_buffer, 2 * options.largest_message);
  stack_->associations_[handle_] = this;
}

Association::~Association() {
  close();
}

flows::Result<void> Association::set_up() {
  // One-to-many style: no second socket appears on accept, and the endpoint outlives its
  // association. Only one peer reaches it, because the path is this association's alone.
  socket_ = usrsctp_socket(AF_CONN, SOCK_SEQPACKET, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (socket_ == nullptr) return failed("no socket");
  if (!apply(socket_, options_)) return failed("an option was refused");
  sockaddr_conn local = address(handle_, options_.local_port);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof local) != 0)
    return failed("bind");
  return {};
}

void Association::close() {
  if (stack_ == nullptr) return;
  if (socket_ != nullptr) usrsctp_close(socket_);
  socket_ = nullptr;
  up_ = false;
  stack_->associations_.erase(handle_);
  stack_->resting_handles_.push_back(handle_);
  stack_ = nullptr;
}

flows::Result<void> Association::connect() {
  if (socket_ == nullptr) return flows::Error{"usrsctp: the stack has ended"};
  if (options_.remote_port.value == 0) return flows::Error{"usrsctp: no port to connect to"};
  sockaddr_conn remote = address(handle_, options_.remote_port);
  const int done = usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&remote), sizeof remote);
  if (done != 0 && errno != EINPROGRESS) return failed("connect");
  return {};
}

flows::Result<void> Association::listen() {
  if (socket_ == nullptr) return flows::Error{"usrsctp: the stack has ended"};
  if (usrsctp_listen(socket_, 1) != 0) return failed("listen");
  return {};
}

bool Association::deliver(ByteView packet) {
  if (socket_ == nullptr || packet.size() < kCommonHeader || packet.size() > 0xffff) return false;
  const flows::SctpPort source{flows::load_be16(packet.data())};
  const flows::SctpPort destination{flows::load_be16(packet.data() + 2)};
  if (destination != options_.local_port) return false;
  if (peer_port_.value != 0 && source != peer_port_) return false;
  usrsctp_conninput(pointer(handle_), packet.data(), packet.size(), 0);
  return true;
}

std::optional<AssociationEvent> Association::poll() {
  if (own_event_) return std::exchange(own_event_, std::nullopt);
  while (socket_ != nullptr) {
    std::vector<uint8_t>& buffer = stack_->read_buffer_;
    sockaddr_conn from{};
    socklen_t from_length = sizeof from;
    sctp_rcvinfo info{};
    socklen_t info_length = sizeof info;
    unsigned int info_type = SCTP_RECVV_NOINFO;
    int flags = 0;
    const ssize_t n =
        usrsctp_recvv(socket_, buffer.data(), buffer.size(), reinterpret_cast<sockaddr*>(&from),
                      &from_length, &info, &info_length, &info_type, &flags);
    if (n <= 0) return std::nullopt;
    const ByteView bytes(buffer.data(), static_cast<size_t>(n));
    const bool complete = (flags & MSG_EOR) != 0;
    std::optional<AssociationEvent> event;
    if ((flags & MSG_NOTIFICATION) != 0) {
      if (complete) event = take_notification(bytes, {flows::host_order(from.sconn_port)});
    } else if (info_type == SCTP_RECVV_RCVINFO && up_ && info.rcv_assoc_id == id_) {
      event = take_data({.stream = info.rcv_sid,
                         .ppid = flows::host_order(info.rcv_ppid),
                         .unordered = (info.rcv_flags & SCTP_UNORDERED) != 0,
                         .bytes = {bytes.begin(), bytes.end()}},
                        complete);
    }
    if (event) return event;
  }
  return std::nullopt;
}

std::optional<AssociationEvent> Association::take_data(MessageReceived part, bool complete) {
  const auto same = [&](const Partial& p) {
    return p.stream == part.stream && p.unordered == part.unordered;
  };
  auto begun = std::find_if(partials_.begin(), partials_.end(), same);
  size_t held = part.bytes.size();
  for (const Partial& p : partials_) held += p.bytes.size();
  if (held > options_.largest_message) {
    control(id_, SCTP_ABORT);
    return went_down(DownReason::message_too_big);
  }
  if (begun == partials_.end()) {
    if (complete) return part;
    partials_.push_back({part.stream, part.unordered, std::move(part.bytes)});
    return std::nullopt;
  }
  begun->bytes.insert(begun->bytes.end(), part.bytes.begin(), part.bytes.end());
  if (!complete) return std::nullopt;
  part.bytes = std::move(begun->bytes);
  partials_.erase(begun);
  return part;
}

std::optional<AssociationEvent> Association::take_notification(ByteView bytes,
                                                               flows::SctpPort from) {
  sctp_notification::sctp_tlv head{};
  if (bytes.size() < sizeof head) return std::nullopt;
  std::memcpy(&head, bytes.data(), sizeof head);
  switch (head.sn_type) {
    case SCTP_ASSOC_CHANGE: {
      sctp_assoc_change change{};
      if (bytes.size() < sizeof change) return std::nullopt;
      std::memcpy(&change, bytes.data(), sizeof change);
      // With a lost association comes the ABORT chunk, when it was the peer who sent one.
      return take_change(change, bytes.size() > sizeof change, from);
    }
    case SCTP_SHUTDOWN_EVENT: {
      sctp_shutdown_event shutdown_event{};
      if (bytes.size() < sizeof shutdown_event) return std::nullopt;
      std::memcpy(&shutdown_event, bytes.data(), sizeof shutdown_event);
      if (!up_ || shutdown_event.sse_assoc_id != id_) return std::nullopt;
      return PeerShutsDown{};
    }
    case SCTP_PARTIAL_DELIVERY_EVENT: {
      sctp_pdapi_event cut{};
      if (bytes.size() < sizeof cut) return std::nullopt;
      std::memcpy(&cut, bytes.data(), sizeof cut);
      std::erase_if(partials_, [&](const Partial& p) { return p.stream == cut.pdapi_stream; });
      return std::nullopt;
    }
    default:
      return std::nullopt;
  }
}

std::optional<AssociationEvent> Association::take_change(const sctp_assoc_change& change,
                                                         bool with_abort, flows::SctpPort from) {
  const bool ours = up_ && change.sac_assoc_id == id_;
  switch (change.sac_state) {
    case SCTP_COMM_UP:
      if (up_ && !ours) {
        // A second peer got through while the first one's arrival was not yet taken.
        control(change.sac_assoc_id, SCTP_ABORT);
        return std::nullopt;
      }
      up_ = true;
      id_ = change.sac_assoc_id;
      peer_port_ = from;
      outbound_streams_ = change.sac_outbound_streams;
      return AssociationUp{change.sac_outbound_streams, change.sac_inbound_streams};
    case SCTP_RESTART:
      if (!ours) return std::nullopt;
      outbound_streams_ = change.sac_outbound_streams;
      partials_.clear();
      return AssociationRestarted{};
    case SCTP_SHUTDOWN_COMP:
      if (!ours) return std::nullopt;
      return went_down(DownReason::shutdown);
    case SCTP_COMM_LOST:
      if (!ours) return std::nullopt;
      return went_down(with_abort ? DownReason::aborted_by_peer : DownReason::lost);
    case SCTP_CANT_STR_ASSOC:
      if (up_) return std::nullopt;
      return went_down(with_abort ? DownReason::aborted_by_peer : DownReason::lost);
    default:
      return std::nullopt;
  }
}

AssociationEvent Association::went_down(DownReason reason) {
  up_ = false;
  id_ = 0;
  peer_port_ = options_.remote_port;
  partials_.clear();
  return AssociationDown{reason};
}

SendStatus Association::send(uint16_t stream, uint32_t ppid, bool unordered, ByteView message) {
  if (!up_) return SendStatus::not_up;
  if (message.empty() || message.size() > options_.largest_message || stream >= outbound_streams_)
    return SendStatus::refused;
  sctp_sndinfo info{};
  info.snd_sid = stream;
  info.snd_flags = unordered ? SCTP_UNORDERED : 0;
  info.snd_ppid = flows::host_order(ppid);
  info.snd_assoc_id = id_;
  if (usrsctp_sendv(socket_, message.data(), message.size(), nullptr, 0, &info, sizeof info,
                    SCTP_SENDV_SNDINFO, 0) >= 0)
    return SendStatus::sent;
  switch (errno) {
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM:
      return SendStatus::would_block;
    case EMSGSIZE:
    case EINVAL:
      return SendStatus::refused;
    default:
      return SendStatus::not_up;  // it is ending; poll() has or will have the reason
  }
}

void Association::control(uint32_t id, uint16_t flags) {
  sctp_sndinfo info{};
  info.snd_flags = flags;
  info.snd_assoc_id = id;
  const uint8_t nothing = 0;  // no bytes, but usrsctp wants an address
  usrsctp_sendv(socket_, &nothing, 0, nullptr, 0, &info, sizeof info, SCTP_SENDV_SNDINFO, 0);
}

void Association::shutdown() {
  if (up_) control(id_, SCTP_EOF);
}

void Association::abort() {
  if (!up_) return;
  control(id_, SCTP_ABORT);
  own_event_ = went_down(DownReason::aborted_here);
}

void Association::lower_path_mtu(uint16_t mtu) {
  if (socket_ == nullptr) return;
  options_.path_mtu = std::min(options_.path_mtu, std::max(mtu, kSmallestMtu));
  set_option(socket_, SCTP_PEER_ADDR_PARAMS, path_parameters(options_, SCTP_FUTURE_ASSOC));
  if (!up_) return;
  sctp_paddrparams path = path_parameters(options_, id_);
  const sockaddr_conn remote = address(handle_, peer_port_);
  std::memcpy(&path.spp_address, &remote, sizeof remote);
  set_option(socket_, SCTP_PEER_ADDR_PARAMS, path);
}

}  // namespace penstock::engine
