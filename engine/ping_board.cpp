// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/ping_board.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace penstock::engine {
namespace {

/// Whom nobody looks after for a while (a client that was stopped) does not eat memory.
constexpr size_t kMostEvents = 4096;

void add_event(PingReport& report, PingEvent event) {
  if (report.events.size() < kMostEvents) report.events.push_back(std::move(event));
}

// Codes that tell an operator where to look: RFC 792, RFC 1812 section 5.2.7.1; RFC 4443
// section 3.1.
std::string_view unreachable_code(bool ipv6, uint8_t code) {
  if (ipv6) {
    constexpr std::array<std::string_view, 7> k6 = {
        "no route", "forbidden",          "beyond scope", "address",
        "port",     "forbidden (source)", "route refused"};
    return code < k6.size() ? k6[code] : std::string_view();
  }
  constexpr std::array<std::string_view, 16> k4 = {"network",
                                                   "host",
                                                   "protocol",
                                                   "port",
                                                   "",
                                                   "source route",
                                                   "network",
                                                   "host",
                                                   "",
                                                   "forbidden",
                                                   "forbidden",
                                                   "network, for this class",
                                                   "host, for this class",
                                                   "forbidden",
                                                   "forbidden",
                                                   "forbidden"};
  return code < k4.size() ? k4[code] : std::string_view();
}

std::string error_text(const PingNews& news) {
  const flows::IcmpError& said = news.said;
  using Kind = flows::IcmpError::Kind;
  switch (said.kind) {
    case Kind::too_big:
      return "Too Big";
    case Kind::time_exceeded:
      return "Time Exceeded";
    case Kind::unreachable: {
      const std::string_view what = unreachable_code(!news.from.is_v4(), said.code);
      return what.empty() ? fmt::format("unreachable (code {})", said.code)
                          : fmt::format("unreachable ({})", what);
    }
    case Kind::other:
      break;
  }
  return "parameter problem";
}

PingEvent event_of(PingEvent::Kind kind, const PingNews& news) {
  PingEvent event;
  event.kind = kind;
  event.sequence = news.sequence;
  event.bytes = news.size;
  event.hop_limit = news.hop_limit;
  event.tunnelled = news.tunnelled;
  if (!news.from.is_unspecified()) event.from = to_string(news.from);
  return event;
}

}  // namespace

std::optional<uint64_t> PingBoard::add(PingOrder order, PingReport about, uint64_t now_ns) {
  Ping* free = find(0);
  if (free == nullptr) return {};
  order.id = about.id = ++last_id_;
  about.timeout_ns = kTimeoutNs;
  *free = {.order = order,
           .report = std::move(about),
           .echoes = std::vector<Echo>(order.count + size_t{1}),
           .rtt_sum_ns = 0,
           .looked_ns = now_ns,
           .stopped = false};
  return order.id;
}

PingOrders PingBoard::orders() const {
  PingOrders orders;
  for (size_t i = 0; i < kPings; ++i) {
    if (pings_[i].stopped) continue;
    orders.places[i] = pings_[i].order;
    orders.any |= pings_[i].order.id != 0;
  }
  return orders;
}

PingBoard::Ping* PingBoard::find(uint64_t id) {
  for (Ping& ping : pings_)
    if (ping.order.id == id) return &ping;
  return nullptr;
}

bool PingBoard::any() const {
  return std::any_of(pings_.begin(), pings_.end(), [](const Ping& p) { return p.order.id != 0; });
}

// What one worker heard another one sent. So what was heard is taken first, and told last: whatever
// it is about, its sending is in the other box by then.
void PingBoard::take(std::vector<PingMail>& mail) {
  for (size_t i = 0; i < kPings; ++i) {
    std::vector<PingNews> heard;
    for (PingMail& m : mail)
      while (heard.size() < kMostEvents) {
        const auto news = m.take_heard(i);
        if (!news) break;
        heard.push_back(*news);
      }
    const auto tell = [&](const PingNews& news) {
      if (pings_[i].order.id != 0 && news.id == pings_[i].order.id) hear(pings_[i], news);
    };
    for (PingMail& m : mail)
      while (const auto news = m.take_sent(i)) tell(*news);
    for (const PingNews& news : heard) tell(news);
  }
}

void PingBoard::hear(Ping& ping, const PingNews& news) {
  if (news.sequence == 0 || news.sequence >= ping.echoes.size()) return;
  Echo& echo = ping.echoes[news.sequence];
  switch (news.kind) {
    case PingNews::Kind::sent:
      echo = {Echo::State::waiting, news.at_ns};
      ++ping.report.sent;
      return;
    case PingNews::Kind::lost: {
      PingEvent event = event_of(PingEvent::Kind::dropped, news);
      event.reason = name(news.reason);
      event.text = meaning(news.reason);
      return lose(ping, echo, std::move(event));
    }
    case PingNews::Kind::error: {
      PingEvent event = event_of(PingEvent::Kind::error, news);
      event.text = error_text(news);
      event.mtu = news.said.mtu;
      return lose(ping, echo, std::move(event));
    }
    case PingNews::Kind::reply:
      return hear_reply(ping, echo, news);
  }
}

// One that was given up may still come: it is no loss then.
void PingBoard::hear_reply(Ping& ping, Echo& echo, const PingNews& news) {
  if (echo.state == Echo::State::unsent) return;
  PingReport& report = ping.report;
  const bool again = echo.state == Echo::State::answered;
  PingEvent event = event_of(again ? PingEvent::Kind::duplicate : PingEvent::Kind::reply, news);
  event.rtt_ns = news.at_ns > echo.sent_ns ? news.at_ns - echo.sent_ns : 0;
  add_event(report, event);
  if (again) {
    ++report.duplicates;
    return;
  }
  if (echo.state == Echo::State::lost) --report.lost;
  echo.state = Echo::State::answered;
  ping.rtt_sum_ns += event.rtt_ns;
  report.rtt_min_ns =
      report.received == 0 ? event.rtt_ns : std::min(report.rtt_min_ns, event.rtt_ns);
  report.rtt_max_ns = std::max(report.rtt_max_ns, event.rtt_ns);
  report.rtt_avg_ns = ping.rtt_sum_ns / ++report.received;
}

void PingBoard::lose(Ping& ping, Echo& echo, PingEvent event) {
  if (echo.state != Echo::State::waiting) return;
  echo.state = Echo::State::lost;
  ++ping.report.lost;
  add_event(ping.report, std::move(event));
}

void PingBoard::time_out(Ping& ping, uint64_t now_ns, const Why& why) {
  for (size_t i = 1; i < ping.echoes.size(); ++i) {
    Echo& echo = ping.echoes[i];
    if (echo.state != Echo::State::waiting || now_ns < echo.sent_ns + kTimeoutNs) continue;
    PingEvent event;
    event.kind = PingEvent::Kind::timeout;
    event.sequence = static_cast<uint32_t>(i);
    event.text = why(ping.order);
    lose(ping, echo, std::move(event));
  }
}

std::optional<PingReport> PingBoard::look(uint64_t id, uint64_t now_ns, const Why& why) {
  Ping* ping = id == 0 ? nullptr : find(id);
  if (ping == nullptr) return {};
  ping->looked_ns = now_ns;
  time_out(*ping, now_ns, why);
  PingReport& report = ping->report;
  report.waiting = report.sent - report.received - report.lost;
  report.ended = ping->stopped || (report.sent == ping->order.count && report.waiting == 0);
  PingReport copy = report;
  report.events.clear();
  return copy;
}

bool PingBoard::remove(uint64_t id) {
  Ping* ping = id == 0 ? nullptr : find(id);
  if (ping == nullptr) return false;
  *ping = {};
  return true;
}

bool PingBoard::remove_forgotten(uint64_t now_ns) {
  bool found = false;
  for (Ping& ping : pings_)
    if (ping.order.id != 0 && now_ns > ping.looked_ns + kForgottenNs)
      found |= remove(ping.order.id);
  return found;
}

bool PingBoard::end_where(
    const std::function<std::string(const PingOrder&, const std::string&)>& note) {
  bool found = false;
  for (Ping& ping : pings_) {
    if (ping.order.id == 0 || ping.stopped) continue;
    std::string why = note(ping.order, ping.report.tunnel);
    if (why.empty()) continue;
    ping.report.note = std::move(why);
    ping.stopped = found = true;
  }
  return found;
}

}  // namespace penstock::engine
