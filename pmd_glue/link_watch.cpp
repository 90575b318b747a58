// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/link_watch.hpp"

#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "pmd_glue/kernel_interface.hpp"

// <net/if.h> stops before this flag, and <linux/if.h> does not stand beside it.
#ifndef IFF_LOWER_UP
#define IFF_LOWER_UP 0x10000
#endif

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

/// Mb/s by ethtool's short form, which every kernel still answers; 0: the driver does not say.
uint32_t read_speed(uint32_t index) {
  const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  if (!socket || ::if_indextoname(index, request.ifr_name) == nullptr) return 0;
  ethtool_cmd command{};
  command.cmd = ETHTOOL_GSET;
  request.ifr_data = reinterpret_cast<char*>(&command);
  if (::ioctl(socket.get(), SIOCETHTOOL, &request) != 0) return 0;
  const uint32_t speed = ethtool_cmd_speed(&command);
  return speed == static_cast<uint32_t>(SPEED_UNKNOWN) || speed == UINT16_MAX ? 0 : speed;
}

}  // namespace

Result<LinkWatch> LinkWatch::open(uint32_t interface_index) {
  FileDescriptor socket(
      ::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE));
  if (!socket) return Error{std::string("cannot open a netlink socket: ") + std::strerror(errno)};
  LinkWatch watch(std::move(socket), interface_index);
  if (!watch.request_state())
    return Error{std::string("cannot ask for links: ") + std::strerror(errno)};
  watch.read_answers();
  if (watch.gone_) return Error{"no network interface of index " + std::to_string(interface_index)};
  return watch;
}

bool LinkWatch::request_state() {
  struct {
    nlmsghdr header;
    ifinfomsg info;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_GETLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  request.info.ifi_family = AF_UNSPEC;
  request.info.ifi_index = static_cast<int>(index_);
  return ::send(socket_.get(), &request, sizeof request, 0) == ssize_t{sizeof request};
}

LinkState LinkWatch::poll() {
  // What the kernel tells by itself (RTMGRP_LINK) comes up to a second after a change: it collects
  // changes of carrier. It answers inside the call that asks.
  if (!gone_ && request_state()) read_answers();
  return state_;
}

void LinkWatch::read_answers() {
  alignas(nlmsghdr) char buffer[16384];
  while (true) {
    const ssize_t got = ::recv(socket_.get(), buffer, sizeof buffer, 0);
    if (got > 0)
      take(buffer, static_cast<size_t>(got));
    else if (!(got < 0 && errno == EINTR))
      return;
  }
}

void LinkWatch::take(const void* messages, size_t length) {
  const char* at = static_cast<const char*>(messages);
  while (length >= sizeof(nlmsghdr)) {
    nlmsghdr header;
    std::memcpy(&header, at, sizeof header);
    if (header.nlmsg_len < sizeof header || header.nlmsg_len > length) return;
    if (header.nlmsg_type == NLMSG_ERROR) gone_ = true;
    if (header.nlmsg_type == RTM_NEWLINK && header.nlmsg_len >= NLMSG_LENGTH(sizeof(ifinfomsg))) {
      ifinfomsg info;
      std::memcpy(&info, at + NLMSG_HDRLEN, sizeof info);
      const bool up = (info.ifi_flags & IFF_UP) != 0 && (info.ifi_flags & IFF_LOWER_UP) != 0;
      if (up && !state_.up) state_.speed_mbps = read_speed(index_);
      state_.up = up;
    }
    if (gone_) state_ = {};
    const size_t step = NLMSG_ALIGN(header.nlmsg_len);
    if (step >= length) return;
    at += step;
    length -= step;
  }
}

}  // namespace penstock::pmd_glue
