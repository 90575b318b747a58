// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors

// One end of an association over the kernel's SCTP: both sides send numbered messages on several
// streams, judge what comes from the other, and the connecting side shuts down in good order.
// Prints one JSON object; exit status 0 if everything arrived whole, in order, and the association
// ended by a SHUTDOWN. It runs in User Mode Linux, where a script language takes long to start.
//
//   sctp_peer listen  --port 5000 [--local ADDRESS]… [--ready FILE]
//   sctp_peer connect --port 5000 --peer ADDRESS [--local ADDRESS]…
//     both: --messages N --sizes 64,1200,… --streams N --timeout SECONDS --pace MILLISECONDS
//     --path-mtu N   packets of up to N bytes whatever the path takes: IP cuts them (no DF)
//     --echo         sends back what comes (it is not judged)
//     --expect-echo  the other side sends back what it gets

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/sctp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>

#include "numbered_messages.hpp"

namespace penstock::peer {
namespace {

using Clock = std::chrono::steady_clock;
constexpr uint32_t kClientSeed = 1, kServerSeed = 2;
// Message i goes out with this + i: beyond the identifiers for which Wireshark has a dissector.
constexpr uint32_t kFirstPpid = 0x50000000;

struct Options {
  bool listens = false, echo = false, expect_echo = false;
  uint16_t port = 5000;
  uint32_t path_mtu = 0;  // 0: as it is found out
  std::vector<std::string> local;
  std::string peer, ready;
  MessagePlan plan;
  std::chrono::milliseconds timeout{15000}, pace{0};
};

struct Outgoing {
  std::vector<uint8_t> bytes;
  uint16_t stream;
  uint32_t ppid;
};

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

int check(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

Address address_of(const std::string& text, uint16_t port) {
  Address address;
  sockaddr_in v4{.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {}, .sin_zero = {}};
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    std::memcpy(&address.bytes, &v4, address.size = sizeof v4);
  } else if (inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr) == 1) {
    std::memcpy(&address.bytes, &v6, address.size = sizeof v6);
  } else {
    throw std::invalid_argument("not an address: " + text);
  }
  return address;
}

template <class T>
void set_option(int fd, int name, const T& value, const char* what) {
  check(setsockopt(fd, IPPROTO_SCTP, name, &value, sizeof value), what);
}

// For the associations to come: the socket's is what they begin with.
void fix_path_mtu(int fd, uint32_t mtu) {
  sctp_paddrparams params{};
  params.spp_address.ss_family = AF_UNSPEC;
  params.spp_pathmtu = mtu;
  params.spp_flags = SPP_PMTUD_DISABLE;
  set_option(fd, SCTP_PEER_ADDR_PARAMS, params, "SCTP_PEER_ADDR_PARAMS");
}

void bind_all(int fd, const std::vector<std::string>& addresses, uint16_t port) {
  for (size_t i = 0; i < addresses.size(); ++i) {
    const Address address = address_of(addresses[i], port);
    if (i == 0) {
      check(bind(fd, address.get(), address.size), "bind");
    } else {
      check(setsockopt(fd, IPPROTO_SCTP, SCTP_SOCKOPT_BINDX_ADD, &address.bytes, address.size),
            "bindx");
    }
  }
}

int make_socket(const Options& options) {
  const std::string& first = options.listens ? options.local.at(0) : options.peer;
  const int family = address_of(first, 0).bytes.ss_family;
  const int fd = check(socket(family, SOCK_STREAM, IPPROTO_SCTP), "socket");
  sctp_event_subscribe events{};
  events.sctp_data_io_event = events.sctp_association_event = events.sctp_shutdown_event = 1;
  set_option(fd, SCTP_EVENTS, events, "SCTP_EVENTS");
  const auto streams = static_cast<uint16_t>(options.plan.streams);
  set_option(fd, SCTP_INITMSG, sctp_initmsg{streams, streams, 0, 0}, "SCTP_INITMSG");
  set_option(fd, SCTP_NODELAY, 1, "SCTP_NODELAY");
  if (options.path_mtu != 0) fix_path_mtu(fd, options.path_mtu);
  bind_all(fd, options.local, options.listens ? options.port : 0);
  return fd;
}

void await(int fd, short events, std::chrono::milliseconds patience) {
  pollfd one{fd, events, 0};
  if (check(poll(&one, 1, static_cast<int>(patience.count())), "poll") == 0)
    throw std::system_error(ETIMEDOUT, std::generic_category(), "nobody came");
}

int accept_one(const Options& options) {
  const int fd = make_socket(options);
  check(listen(fd, 5), "listen");
  if (!options.ready.empty()) {
    close(check(open(options.ready.c_str(), O_CREAT | O_WRONLY, 0644), "--ready"));
  }
  await(fd, POLLIN, options.timeout);
  const int connection = check(accept(fd, nullptr, nullptr), "accept");
  close(fd);
  return connection;
}

int connect_one(const Options& options) {
  const int fd = make_socket(options);
  const auto ms = options.timeout.count();
  const timeval patience{ms / 1000, ms % 1000 * 1000};
  check(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience), "SO_SNDTIMEO");
  const Address address = address_of(options.peer, options.port);
  check(connect(fd, address.get(), address.size), "connect");
  return fd;
}

/// The life of one association, from COMM_UP to its end.
class Association {
 public:
  Association(int fd, const Options& options)
      : fd_(fd),
        options_(options),
        judge_(expected_seed(options), options.echo ? 0 : options.plan.count) {}

  void run() {
    const auto deadline = Clock::now() + options_.timeout;
    while (!ended_) {
      if (Clock::now() > deadline) {
        end_ = "timeout";
        return;
      }
      wait_a_little();
      receive_all();
      if (!ended_) send_some();
      if (!options_.listens && !shut_ && finished()) shut_down();
    }
  }

  bool good() const {
    return end_ == "shutdown" && judge_.complete() && sent_all() && judge_.corrupt() == 0 &&
           judge_.out_of_order() == 0 && judge_.duplicates() == 0;
  }

  void print(double seconds) const {
    std::printf(
        "{\"role\": \"%s\", \"end\": \"%s\", \"shutdown_seen\": %s, \"restarts\": %u, "
        "\"sent\": %u, \"received\": %lu, \"lost\": %lu, \"corrupt\": %lu, \"duplicates\": %lu, "
        "\"out_of_order\": %lu, \"bytes_received\": %lu, \"seconds\": %.3f}\n",
        options_.listens ? "listen" : "connect", end_.c_str(), shutdown_seen_ ? "true" : "false",
        restarts_, sent_, judge_.received(), judge_.lost(), judge_.corrupt(), judge_.duplicates(),
        judge_.out_of_order(), judge_.bytes(), seconds);
  }

 private:
  static uint32_t expected_seed(const Options& options) {
    return options.listens || options.expect_echo ? kClientSeed : kServerSeed;
  }

  bool sent_all() const { return options_.echo || sent_ == options_.plan.count; }
  bool finished() const { return sent_all() && judge_.complete() && waiting_.empty(); }

  void wait_a_little() {
    if (drained_) poll(nullptr, 0, 2);
    const bool wants_to_send = !waiting_.empty() || (!sent_all() && options_.pace.count() == 0);
    pollfd one{fd_, POLLIN, 0};
    // POLLOUT promises a byte of room, not room for a whole message.
    if (wants_to_send && !full_) one.events |= POLLOUT;
    poll(&one, 1, wants_to_send || options_.pace.count() ? 1 : 100);
    full_ = false;
  }

  void receive_all() {
    while (!ended_) {
      std::array<uint8_t, CMSG_SPACE(sizeof(sctp_sndrcvinfo)) + 64> control;
      iovec part{buffer_.data(), buffer_.size()};
      msghdr header{.msg_iov = &part, .msg_iovlen = 1};
      header.msg_control = control.data();
      header.msg_controllen = control.size();
      const ssize_t size = recvmsg(fd_, &header, MSG_DONTWAIT);
      if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (size < 0) return end(std::generic_category().message(errno));
      drained_ = size == 0;  // the peer will send no more; how it ends is told a moment later
      if (drained_) return;
      const std::span bytes(buffer_.data(), static_cast<size_t>(size));
      if (header.msg_flags & MSG_NOTIFICATION) {
        notified(bytes);
      } else {
        received(bytes, header);
      }
    }
  }

  void notified(std::span<const uint8_t> bytes) {
    sctp_assoc_change change{};
    std::memcpy(&change, bytes.data(), std::min(bytes.size(), sizeof change));
    if (change.sac_type == SCTP_SHUTDOWN_EVENT) shutdown_seen_ = true;
    if (change.sac_type != SCTP_ASSOC_CHANGE) return;
    if (change.sac_state == SCTP_RESTART) ++restarts_;
    if (change.sac_state == SCTP_SHUTDOWN_COMP) end("shutdown");
    if (change.sac_state == SCTP_COMM_LOST) end("lost");
  }

  void received(std::span<const uint8_t> bytes, msghdr& header) {
    partial_.insert(partial_.end(), bytes.begin(), bytes.end());
    if (!(header.msg_flags & MSG_EOR)) return;
    sctp_sndrcvinfo info{};
    const cmsghdr* found = CMSG_FIRSTHDR(&header);
    if (found && found->cmsg_type == SCTP_SNDRCV) {
      std::memcpy(&info, CMSG_DATA(found), sizeof info);
    }
    if (options_.echo) {
      waiting_.push_back({std::move(partial_), info.sinfo_stream, info.sinfo_ppid});
    } else {
      judge_.take(partial_, info.sinfo_stream, ntohl(info.sinfo_ppid) - kFirstPpid);
    }
    partial_.clear();
  }

  void send_some() {
    while (true) {
      if (waiting_.empty() && !make_next()) return;
      if (!send_one(waiting_.front())) return;
      waiting_.pop_front();
    }
  }

  bool make_next() {
    if (sent_all() || Clock::now() < next_) return false;
    next_ = Clock::now() + options_.pace;
    const auto stream = static_cast<uint16_t>(options_.plan.stream_of(sent_));
    waiting_.push_back({options_.plan.message(sent_), stream, htonl(kFirstPpid + sent_)});
    ++sent_;
    return true;
  }

  bool send_one(const Outgoing& message) {
    std::array<uint8_t, CMSG_SPACE(sizeof(sctp_sndrcvinfo))> control{};
    iovec part{const_cast<uint8_t*>(message.bytes.data()), message.bytes.size()};
    msghdr header{.msg_iov = &part, .msg_iovlen = 1};
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const entry = CMSG_FIRSTHDR(&header);
    entry->cmsg_level = IPPROTO_SCTP;
    entry->cmsg_type = SCTP_SNDRCV;
    entry->cmsg_len = CMSG_LEN(sizeof(sctp_sndrcvinfo));
    sctp_sndrcvinfo info{};
    info.sinfo_stream = message.stream;
    info.sinfo_ppid = message.ppid;
    std::memcpy(CMSG_DATA(entry), &info, sizeof info);
    if (sendmsg(fd_, &header, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) return true;
    full_ = errno == EAGAIN;
    if (!full_ && !shutdown_seen_ && errno != EPIPE && errno != ESHUTDOWN) {
      end(std::generic_category().message(errno));
    }
    return false;
  }

  void shut_down() {
    shut_ = true;
    check(shutdown(fd_, SHUT_WR), "shutdown");
  }

  void end(const std::string& how) {
    ended_ = true;
    if (end_.empty()) end_ = how;
  }

  int fd_;
  const Options& options_;
  MessageJudge judge_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(1 << 17);
  std::vector<uint8_t> partial_;
  std::deque<Outgoing> waiting_;
  Clock::time_point next_{};
  std::string end_;
  uint32_t sent_ = 0, restarts_ = 0;
  bool full_ = false, shut_ = false, ended_ = false, shutdown_seen_ = false, drained_ = false;
};

std::vector<uint32_t> numbers(const std::string& text) {
  std::vector<uint32_t> values;
  for (size_t at = 0; at < text.size();) {
    size_t used = 0;
    values.push_back(static_cast<uint32_t>(std::stoul(text.substr(at), &used)));
    if (values.back() < sizeof(MessageHeader)) throw std::invalid_argument("sizes start at 32");
    at += used + 1;
  }
  return values;
}

void set_value(Options& options, const std::string& key, const std::string& value) {
  const auto number = [&] { return static_cast<uint32_t>(std::stoul(value)); };
  if (key == "--port")
    options.port = static_cast<uint16_t>(number());
  else if (key == "--local")
    options.local.push_back(value);
  else if (key == "--peer")
    options.peer = value;
  else if (key == "--ready")
    options.ready = value;
  else if (key == "--messages")
    options.plan.count = number();
  else if (key == "--sizes")
    options.plan.sizes = numbers(value);
  else if (key == "--streams")
    options.plan.streams = number();
  else if (key == "--path-mtu")
    options.path_mtu = number();
  else if (key == "--timeout")
    options.timeout = std::chrono::milliseconds(number() * 1000);
  else if (key == "--pace")
    options.pace = std::chrono::milliseconds(number());
  else
    throw std::invalid_argument("unknown: " + key);
}

Options parse(const std::vector<std::string>& words) {
  Options options;
  options.plan = {.count = 100, .streams = 4, .sizes = {64, 500, 1200, 4000}};
  options.listens = words.at(0) == "listen";
  options.plan.seed = options.listens ? kServerSeed : kClientSeed;
  for (size_t i = 1; i < words.size(); ++i) {
    if (words[i] == "--echo")
      options.echo = true;
    else if (words[i] == "--expect-echo")
      options.expect_echo = true;
    else
      set_value(options, words[i], words.at(i + 1)), ++i;
  }
  return options;
}

int run(const Options& options) {
  const int fd = options.listens ? accept_one(options) : connect_one(options);
  Association association(fd, options);
  const auto start = Clock::now();
  association.run();
  association.print(std::chrono::duration<double>(Clock::now() - start).count());
  return association.good() ? 0 : 1;
}

}  // namespace
}  // namespace penstock::peer

int main(int argc, char** argv) {
  try {
    return penstock::peer::run(penstock::peer::parse({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::printf("{\"end\": \"%s\"}\n", error.what());
    return 2;
  }
}
