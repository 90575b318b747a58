// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
// Hosts one engine between in-process rings and speaks JSON lines, so that packet cases can be
// tables in another language. Time is fake and moves only when told.
//
//   {"config": "<toml>"}               devices "ring:<name>"       → {"ok": true}
//             "spread": true           two workers, spread = "software"; all comes by one queue
//   {"inject": [["core0", "<hex>"]]}   one burst per port          → {"out": [["wan0", "<hex>"]]}
//   {"advance_ms": N}                                              → {"out": […]}
//   {"link": ["core0", true]}          as if the link came up      → {"out": […]}
//   {"counters": true}                                             → {"ports", "drops", "tunnels"}

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>

#include "engine/engine.hpp"
#include "pmd_glue/eal.hpp"
#include "pmd_glue/ring_wire.hpp"

namespace {

using namespace penstock;
using Json = nlohmann::json;
using pmd_glue::Packet;

constexpr uint64_t kMs = 1'000'000;
constexpr uint64_t kSecret = 20260101;  // so that UDP ports made of flows are known to the cases

std::optional<std::vector<uint8_t>> from_hex(const std::string& hex) {
  std::vector<uint8_t> bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes.push_back(static_cast<uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string to_hex(flows::ByteView bytes) {
  std::string hex;
  for (const uint8_t b : bytes) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", b);
    hex += text;
  }
  return hex;
}

class Runner {
 public:
  explicit Runner(pmd_glue::PacketPool& pool) : pool_(pool) {}
  ~Runner() { stop(); }

  Json handle(const Json& request) {
    if (request.contains("config"))
      return configure(request["config"], request.value("spread", false));
    if (engine_ == nullptr) return {{"error", "no config yet"}};
    if (request.contains("inject")) return inject(request["inject"]);
    if (request.contains("advance_ms")) return advance(request["advance_ms"]);
    if (request.contains("counters")) return counters();
    if (request.contains("link")) {
      engine_->announce(port_index(request["link"][0]));
      return advance(100);
    }
    return {{"error", "unknown request"}};
  }

 private:
  Json configure(const std::string& toml, bool spread) {
    stop();
    auto parsed = engine::parse_config(toml, "case.toml");
    if (const auto* errors = std::get_if<engine::ConfigErrors>(&parsed))
      return {{"error", errors->lines}};
    engine::Config config = std::get<engine::Config>(std::move(parsed));
    if (spread) config.engine.spread = engine::SpreadBy::software;
    const uint16_t workers = spread ? 2 : 1;
    ++instance_;
    for (size_t i = 0; i < config.ports.size(); ++i) {
      const std::string device = "net_g" + std::to_string(instance_) + "_" + std::to_string(i);
      auto ring = pmd_glue::RingEnd::create(device, workers);
      if (!ring) return {{"error", ring.error().message}};
      ends_.push_back(std::move(*ring));
      names_.push_back(config.ports[i].name);
      config.ports[i].device = device;
    }
    engine::EngineOptions options;
    options.pool_prefix = "g" + std::to_string(instance_) + "_";
    options.workers = workers;
    options.now_ns = now_;
    options.secret = kSecret;
    auto created = engine::Engine::create(config, options);
    if (!created) return {{"error", created.error().message}};
    engine_ = std::move(*created);
    advance(100);  // what the engine announces at its start is not part of any case
    return {{"ok", true}};
  }

  // What is on the wires belongs to the engine's pools: it goes before they do.
  void stop() {
    if (engine_ == nullptr) return;
    collect();
    engine_.reset();
    ends_.clear();
    names_.clear();
  }

  size_t port_index(const std::string& name) const {
    for (size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == name) return i;
    return 0;
  }

  Json inject(const Json& frames) {
    for (const Json& f : frames) {
      const auto bytes = from_hex(f[1]);
      Packet packet = pool_.allocate();
      if (!packet || !bytes || bytes->size() > packet.tailroom()) return {{"error", "frame"}};
      packet.set_length(static_cast<uint16_t>(bytes->size()));
      std::copy(bytes->begin(), bytes->end(), packet.data());
      if (!ends_[port_index(f[0])].send(packet, 0)) return {{"error", "ring full"}};
    }
    return {{"out", settle()}};
  }

  Json settle() {
    Json out = Json::array();
    while (engine_->step(now_)) append(out, collect());
    append(out, collect());
    return out;
  }

  Json advance(uint64_t ms) {
    Json out = Json::array();
    for (uint64_t i = 0; i < ms; i += 10) {
      now_ += 10 * kMs;
      append(out, settle());
    }
    return {{"out", out}};
  }

  static void append(Json& list, Json more) {
    for (Json& item : more) list.push_back(std::move(item));
  }

  Json collect() {
    Json out = Json::array();
    for (size_t i = 0; i < ends_.size(); ++i) {
      Packet packet;
      while (ends_[i].receive(&packet, 1) == 1) {
        out.push_back(Json::array({names_[i], to_hex(packet.bytes())}));
        pmd_glue::free_packet(packet);
      }
    }
    return out;
  }

  Json counters() {
    const engine::Report report = engine_->report(now_);
    Json ports = Json::object(), drops = Json::object(), tunnels = Json::object();
    for (const engine::PortReport& p : report.ports) {
      const engine::PortCounters& c = p.counters;
      ports[p.name] = {{"rx", c.rx},
                       {"tx", c.tx},
                       {"originated", c.originated},
                       {"consumed", c.consumed},
                       {"handed_in", c.handed_in},
                       {"handed_out", c.handed_out},
                       {"held", c.held},
                       {"split", c.split},
                       {"merged", c.merged},
                       {"dropped", c.dropped}};
    }
    for (const engine::DropReport& d : report.drops) {
      Json& cell = drops[d.reason][d.port];
      cell = (cell.is_null() ? uint64_t{0} : cell.get<uint64_t>()) + d.packets;
    }
    for (const engine::TunnelReport& t : report.tunnels)
      tunnels[t.name] = {{"rx", t.rx}, {"tx", t.tx}, {"dropped", t.dropped}};
    return {{"ports", ports}, {"drops", drops}, {"tunnels", tunnels}};
  }

  pmd_glue::PacketPool& pool_;
  std::vector<pmd_glue::RingEnd> ends_;
  std::vector<std::string> names_;
  std::unique_ptr<engine::Engine> engine_;
  uint64_t now_ = 1000 * kMs;
  int instance_ = 0;
};

}  // namespace

int main() {
  pmd_glue::EalOptions options;
  options.memory_kind = pmd_glue::EalOptions::Memory::none;
  options.memory_mb = 128;
  options.file_prefix = "penstock_golden" + std::to_string(getpid());
  auto eal = pmd_glue::Eal::start(options);
  if (!eal) {
    std::fprintf(stderr, "%s\n", eal.error().message.c_str());
    return 2;
  }
  auto pool = pmd_glue::PacketPool::create("golden_in", 2048, 9728, -1);
  if (!pool) {
    std::fprintf(stderr, "%s\n", pool.error().message.c_str());
    return 2;
  }
  Runner runner(*pool);
  for (std::string line; std::getline(std::cin, line);) {
    const Json request = Json::parse(line, nullptr, false);
    const Json reply =
        request.is_discarded() ? Json{{"error", "not JSON"}} : runner.handle(request);
    std::cout << reply.dump() << std::endl;
  }
}
