// SPDX-License-Identifier: BSD-3-Clause
// Copyright (c) 2026 The Penstock authors
#include "pmd_glue/hugepages.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace penstock::pmd_glue {

using flows::Error;
using flows::Result;

namespace {

uint64_t read_number(const std::filesystem::path& file) {
  std::ifstream in(file);
  uint64_t n = 0;
  return in >> n ? n : 0;
}

/// "pagesize=2M" among mount options, in KiB; 0: not said, so the machine's default size.
uint64_t page_size_option(const std::string& options) {
  const size_t at = options.find("pagesize=");
  if (at == std::string::npos) return 0;
  std::istringstream in(options.substr(at + 9));
  uint64_t n = 0;
  char unit = 0;
  in >> n >> unit;
  if (unit == 'G' || unit == 'g') return n << 20;
  if (unit == 'M' || unit == 'm') return n << 10;
  if (unit == 'K' || unit == 'k') return n;
  return n >> 10;
}

uint64_t default_page_kb() {
  std::ifstream in("/proc/meminfo");
  std::string word;
  while (in >> word)
    if (uint64_t kb = 0; word == "Hugepagesize:" && in >> kb) return kb;
  return 2048;
}

std::string command_for(const HugepageSize& size, uint64_t missing_pages,
                        const std::string& directory) {
  return "echo " + std::to_string(size.total_pages + missing_pages) + " > " + directory +
         "/hugepages-" + std::to_string(size.page_kb) + "kB/nr_hugepages";
}

}  // namespace

std::vector<HugepageSize> read_hugepages(const std::string& sysfs, const std::string& mounts) {
  std::vector<HugepageSize> sizes;
  std::error_code error;
  for (std::filesystem::directory_iterator it(sysfs, error), end; !error && it != end;
       it.increment(error)) {
    const std::string name = it->path().filename();
    if (name.rfind("hugepages-", 0) != 0) continue;
    HugepageSize size;
    std::istringstream(name.substr(10)) >> size.page_kb;
    size.total_pages = read_number(it->path() / "nr_hugepages");
    size.free_pages = read_number(it->path() / "free_hugepages");
    sizes.push_back(size);
  }
  std::sort(sizes.begin(), sizes.end(),
            [](const auto& a, const auto& b) { return a.page_kb < b.page_kb; });

  std::ifstream in(mounts);
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string source, mount, type, options;
    fields >> source >> mount >> type >> options;
    if (type != "hugetlbfs") continue;
    const uint64_t said = page_size_option(options);
    const uint64_t page_kb = said != 0 ? said : default_page_kb();
    for (HugepageSize& size : sizes) {
      if (size.page_kb != page_kb || size.writable) continue;
      size.mount = mount;
      size.writable = ::access(mount.c_str(), W_OK) == 0;
    }
  }
  return sizes;
}

std::optional<Shortage> find_shortage(uint32_t memory_mb, const std::vector<HugepageSize>& sizes,
                                      const std::string& directory) {
  if (sizes.empty()) return Shortage{"this kernel has none", ""};
  uint64_t free_kb = 0;         // of pages that DPDK can take
  uint64_t unreachable_kb = 0;  // free, but not mounted or not ours to write
  for (const HugepageSize& size : sizes)
    (size.writable ? free_kb : unreachable_kb) += size.page_kb * size.free_pages;
  const uint64_t wanted_kb = uint64_t{memory_mb} << 10;
  if (free_kb >= wanted_kb) return std::nullopt;

  const std::string shortage =
      std::to_string(memory_mb) + " MB wanted, " + std::to_string(free_kb >> 10) + " MB free";
  if (free_kb + unreachable_kb >= wanted_kb) {
    const auto it = std::find_if(sizes.begin(), sizes.end(), [](const HugepageSize& s) {
      return !s.writable && s.free_pages != 0;
    });
    const std::string more = shortage + ", " + std::to_string(unreachable_kb >> 10) + " MB more ";
    if (!it->mount.empty())
      return Shortage{more + "are in " + it->mount + ", which this user may not write",
                      "chown " + std::to_string(::getuid()) + " " + it->mount};
    return Shortage{more + "are not mounted",
                    "mkdir -p /dev/hugepages && mount -t hugetlbfs -o pagesize=" +
                        std::to_string(it->page_kb) + "K none /dev/hugepages"};
  }
  // More of the smallest size: large ones are seldom to be had on a running machine.
  const HugepageSize& smallest = sizes.front();
  const uint64_t missing_kb = wanted_kb - free_kb;
  const uint64_t pages = (missing_kb + smallest.page_kb - 1) / smallest.page_kb;
  return Shortage{shortage, command_for(smallest, pages, directory)};
}

Result<bool> choose_hugepages(EalOptions::Memory wanted, uint32_t memory_mb,
                              const std::vector<HugepageSize>& sizes) {
  if (wanted == EalOptions::Memory::none) return false;
  const auto shortage = find_shortage(memory_mb, sizes);
  if (!shortage) return true;
  if (wanted == EalOptions::Memory::automatic) return false;
  return Error{"hugepages: " + shortage->what + "; " +
               (shortage->mend.empty() ? "run without them" : shortage->mend)};
}

}  // namespace penstock::pmd_glue
