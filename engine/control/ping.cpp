// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "engine/control/ping.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace penstock::engine {
namespace {

using flows::Error;
using Parameters = std::vector<std::string>;

constexpr int kPollMs = 100;
constexpr int kNoReply = 1;
constexpr int kNotPinged = 2;  // as ping(8): 1 is a host that did not answer

template <class Number>
std::optional<Number> number(const std::string& text) {
  Number value = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end) return {};
  return value;
}

flows::Result<uint32_t> in_range(const std::string& word, const std::string& text, uint32_t least,
                                 uint32_t most) {
  const auto value = number<uint32_t>(text);
  if (!value || *value < least || *value > most)
    return Error{
        fmt::format("{} {}: a number from {} to {} is needed", word, in_quotes(text), least, most)};
  return *value;
}

flows::Result<flows::IpAddress> address(const std::string& text) {
  const auto parsed = flows::parse_ip(text);
  if (!parsed || parsed->is_unspecified())
    return Error{fmt::format("{} is no IPv4 or IPv6 address of a host; names are not looked up",
                             in_quotes(text))};
  return *parsed;
}

flows::Result<void> apply(const std::string& word, const std::string& text, PingRequest& request) {
  namespace limits = ping_limits;
  const auto take = [&](uint32_t& into, uint32_t least, uint32_t most) -> flows::Result<void> {
    const auto value = in_range(word, text, least, most);
    if (!value) return value.error();
    into = *value;
    return {};
  };
  if (word == "count") return take(request.count, 1, limits::kCount);
  if (word == "size") return take(request.size, limits::kSmallest, limits::kLargest);
  if (word == "ttl") return take(request.hop_limit, 1, 255);
  if (word == "interval")
    return take(request.interval_ms, limits::kShortestIntervalMs, limits::kLongestIntervalMs);
  if (word == "df") request.dont_fragment = true;
  if (word == "tunnel") request.tunnel = text;
  if (word == "from") {
    const auto from = address(text);
    if (!from) return from.error();
    request.from = *from;
  }
  return {};
}

// As precise as the clock of a worker that is awake: microseconds. What is less means nothing.
std::string time_text(uint64_t ns) {
  const double ms = static_cast<double>(ns) / 1e6;
  return ms < 100 ? fmt::format("{:.3f} ms", ms) : fmt::format("{:.1f} ms", ms);
}

std::string lost_text(const PingReport& report, const PingEvent& e) {
  const std::string what = e.text.empty() ? "" : ": " + e.text;
  if (e.kind == PingEvent::Kind::dropped)
    return fmt::format("seq {}: not sent, {}{}", e.sequence, e.reason, what);
  return fmt::format("seq {}: no answer within {} s{}", e.sequence,
                     report.timeout_ns / 1'000'000'000, what);
}

std::string line(const PingReport& report, const PingEvent& e) {
  switch (e.kind) {
    case PingEvent::Kind::reply:
    case PingEvent::Kind::duplicate: {
      const bool beside = !report.tunnel.empty() && !e.tunnelled;
      return fmt::format("{} bytes from {}: seq {} ttl {} time {}{}{}", e.bytes, e.from, e.sequence,
                         e.hop_limit, time_text(e.rtt_ns), beside ? ", not through the tunnel" : "",
                         e.kind == PingEvent::Kind::duplicate ? ", duplicate" : "");
    }
    case PingEvent::Kind::error:
      return fmt::format("seq {}: {} from {}{}{}", e.sequence, e.text, e.from,
                         e.mtu == 0 ? "" : fmt::format(", MTU {}", e.mtu),
                         e.tunnelled ? ", about the tunnel's outer packet" : "");
    case PingEvent::Kind::dropped:
    case PingEvent::Kind::timeout:
      break;
  }
  return lost_text(report, e);
}

std::string header(const PingReport& r) {
  std::string text = fmt::format("ping {} from {}, ", r.to, r.from);
  text += r.tunnel.empty() ? fmt::format("port {}: ", r.port)
                           : fmt::format("through tunnel {}: ", r.tunnel);
  return text + fmt::format("{} packet{} of {} bytes, one in {} ms", r.asked.count,
                            r.asked.count == 1 ? "" : "s", r.asked.size, r.asked.interval_ms);
}

void add_summary(const PingReport& r, Json& lines) {
  if (!r.note.empty() && r.note != "stopped") lines.push_back("ended: " + r.note);
  const uint32_t decided = r.received + r.lost;
  const double share = decided == 0 ? 0 : 100.0 * r.lost / decided;
  lines.push_back(fmt::format(
      "{} sent, {} received, {} lost ({:.3g}%){}{}", r.sent, r.received, r.lost, share,
      r.waiting == 0 ? "" : fmt::format(", {} not waited for", r.waiting),
      r.duplicates == 0
          ? ""
          : fmt::format(", {} duplicate{}", r.duplicates, r.duplicates == 1 ? "" : "s")));
  if (r.received != 0)
    lines.push_back(fmt::format("round trip: min {}, avg {}, max {}", time_text(r.rtt_min_ns),
                                time_text(r.rtt_avg_ns), time_text(r.rtt_max_ns)));
}

Json text_or_null(const std::string& text) {
  return text.empty() ? Json(nullptr) : Json(text);
}

std::string_view kind_name(PingEvent::Kind kind) {
  switch (kind) {
    case PingEvent::Kind::reply:
      return "reply";
    case PingEvent::Kind::duplicate:
      return "duplicate";
    case PingEvent::Kind::error:
      return "error";
    case PingEvent::Kind::dropped:
      return "dropped";
    case PingEvent::Kind::timeout:
      break;
  }
  return "timeout";
}

Json event_json(const PingEvent& e) {
  const bool reply = e.kind == PingEvent::Kind::reply || e.kind == PingEvent::Kind::duplicate;
  const bool heard = reply || e.kind == PingEvent::Kind::error;
  return Json{{"event", kind_name(e.kind)},
              {"sequence", e.sequence},
              {"from", text_or_null(e.from)},
              {"bytes", reply ? Json(e.bytes) : Json(nullptr)},
              {"hop_limit", heard ? Json(e.hop_limit) : Json(nullptr)},
              {"rtt_us", reply ? Json(static_cast<double>(e.rtt_ns) / 1000) : Json(nullptr)},
              {"through_tunnel", reply ? Json(e.tunnelled) : Json(nullptr)},
              {"reason", text_or_null(e.reason)},
              {"text", text_or_null(e.text)},
              {"mtu", e.mtu == 0 ? Json(nullptr) : Json(e.mtu)}};
}

Json ping_json(const PingReport& r) {
  const auto us = [&](uint64_t ns) {
    return r.received == 0 ? Json(nullptr) : Json(static_cast<double>(ns) / 1000);
  };
  return Json{{"id", r.id},
              {"to", r.to},
              {"from", r.from},
              {"port", text_or_null(r.port)},
              {"tunnel", text_or_null(r.tunnel)},
              {"note", text_or_null(r.note)},
              {"count", r.asked.count},
              {"size", r.asked.size},
              {"interval_ms", r.asked.interval_ms},
              {"hop_limit", r.asked.hop_limit},
              {"dont_fragment", r.asked.dont_fragment},
              {"sent", r.sent},
              {"received", r.received},
              {"lost", r.lost},
              {"waiting", r.waiting},
              {"duplicates", r.duplicates},
              {"rtt_min_us", us(r.rtt_min_ns)},
              {"rtt_avg_us", us(r.rtt_avg_ns)},
              {"rtt_max_us", us(r.rtt_max_ns)},
              {"ended", r.ended}};
}

flows::Result<void> check_tunnel(const std::string& name, const Parameters& known) {
  if (name.empty() || std::find(known.begin(), known.end(), name) != known.end()) return {};
  return Error{known.empty() ? fmt::format("no tunnel {}: there is none", in_quotes(name))
                             : fmt::format("no tunnel {}; known: {}", in_quotes(name),
                                           comma_list({known.begin(), known.end()}))};
}

flows::Result<Answer> shown(const flows::Result<PingReport>& report, bool first) {
  if (!report) return report.error();
  return show_ping(*report, first);
}

}  // namespace

flows::Result<PingRequest> parse_ping(const std::string& to, const std::string& tunnel,
                                      const Parameters& options) {
  PingRequest request;
  request.tunnel = tunnel;
  if (!to.empty()) {
    const auto parsed = address(to);
    if (!parsed) return parsed.error();
    request.to = *parsed;
  }
  for (size_t i = 0; i + 1 < options.size(); i += 2)
    if (auto r = apply(options[i], options[i + 1], request); !r) return r.error();
  return request;
}

Answer show_ping(const PingReport& report, bool first) {
  Json events = Json::array(), lines = Json::array();
  if (first) lines.push_back(header(report));
  if (first && !report.note.empty()) lines.push_back(report.note);
  for (const PingEvent& e : report.events) {
    events.push_back(event_json(e));
    lines.push_back(line(report, e));
  }
  Json view{{"kind", "follow"}, {"rows", "events"}};
  if (report.ended) {
    add_summary(report, lines);
  } else {
    const std::string id = std::to_string(report.id);
    view["next"] = Json::array({"ping", "poll", id});
    view["after_ms"] = kPollMs;
    view["stop"] = Json::array({"ping", "stop", id});
  }
  view["lines"] = std::move(lines);
  view["status"] = report.received == 0 ? kNoReply : 0;
  return {Json{{"ping", ping_json(report)}, {"events", std::move(events)}}, std::move(view)};
}

std::vector<Command> ping_commands(const ControlTarget& target,
                                   const std::function<Parameters()>& tunnel_names) {
  const std::vector<Option> options = {
      {"count", "<n>", "how many, up to 1000; else 5", nullptr},
      {"size", "<bytes>", "of the IP packet; else 84", nullptr},
      {"interval", "<ms>", "between two, at least 100; else 1000", nullptr},
      {"from", "<address>", "one of our own; else the one nearest to the way out", nullptr},
      {"ttl", "<hops>", "TTL or hop limit; else 64", nullptr},
      {"df", "", "IPv4: set Don't Fragment, so that routers say what is too big", nullptr}};
  std::vector<Option> to_host = options;
  to_host.push_back({"tunnel", "<tunnel>", "through that ip-udp tunnel", tunnel_names});
  // An id that is no number is nobody's.
  const auto id_of = [](const Parameters& p) { return number<uint64_t>(p[0]).value_or(0); };
  const auto start = [start = target.start_ping, tunnel_names](
                         const std::string& to, const std::string& tunnel,
                         const Parameters& given) -> flows::Result<Answer> {
    const auto request = parse_ping(to, tunnel, given);
    if (!request) return request.error();
    if (auto r = check_tunnel(request->tunnel, tunnel_names()); !r) return r.error();
    return shown(start(*request), true);
  };
  std::vector<Command> table = {
      {"ping", "asks hosts for an echo", Role::write, nullptr, nullptr},
      {"ping <address>",
       "a host, natively or through a tunnel: count, size, interval, from, ttl, df", Role::write,
       [start](const Parameters& p) {
         return start(p[0], "", {p.begin() + 1, p.end()});
       },
       nullptr, to_host},
      {"ping tunnel", "the far end of a tunnel", Role::write, nullptr, nullptr},
      {"ping tunnel <tunnel>", "the far end of an ip-udp tunnel, through it", Role::write,
       [start](const Parameters& p) {
         return start("", p[0], {p.begin() + 1, p.end()});
       },
       tunnel_names, options},
      {"ping poll", "for programs", Role::write, nullptr, nullptr},
      {"ping poll <id>", "for programs: what came since the last time", Role::write,
       [look = target.look_at_ping, id_of](const Parameters& p) {
         return shown(look(id_of(p)), false);
       },
       nullptr},
      {"ping stop", "for programs", Role::write, nullptr, nullptr},
      {"ping stop <id>", "for programs: ends it", Role::write,
       [stop = target.stop_ping, id_of](const Parameters& p) {
         return shown(stop(id_of(p)), false);
       },
       nullptr}};
  for (Command& command : table) command.refusal_status = kNotPinged;
  return table;
}

}  // namespace penstock::engine
