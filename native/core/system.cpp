#include "core/system.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#if defined(_WIN32)
#include <windows.h>
#elif defined(__APPLE__)
#include <mach/mach.h>
#include <sys/sysctl.h>
#else
#include <sched.h>
#endif

namespace hotpath {

#if defined(_WIN32)

uint64_t available_memory_bytes() {
  MEMORYSTATUSEX status = {};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) ? status.ullAvailPhys : 0;
}

int physical_core_count() {
  DWORD bytes = 0;
  GetLogicalProcessorInformation(nullptr, &bytes);
  std::vector<SYSTEM_LOGICAL_PROCESSOR_INFORMATION> entries(bytes / sizeof(SYSTEM_LOGICAL_PROCESSOR_INFORMATION));
  if (!GetLogicalProcessorInformation(entries.data(), &bytes)) return 1;
  const auto cores = std::count_if(entries.begin(), entries.end(),
                                   [](const auto& entry) { return entry.Relationship == RelationProcessorCore; });
  return std::max(1, static_cast<int>(cores));
}

#elif defined(__APPLE__)

uint64_t available_memory_bytes() {
  vm_statistics64_data_t pages;
  mach_msg_type_number_t n = HOST_VM_INFO64_COUNT;
  if (host_statistics64(mach_host_self(), HOST_VM_INFO64, reinterpret_cast<host_info64_t>(&pages), &n) != KERN_SUCCESS) {
    return 0;
  }
  return (uint64_t{pages.free_count} + pages.inactive_count + pages.purgeable_count) * vm_kernel_page_size;
}

int physical_core_count() {
  // Performance cores where the kernel tells them apart: efficiency cores would hold the others up at every barrier.
  for (const char* name : {"hw.perflevel0.physicalcpu", "hw.physicalcpu"}) {
    int cores = 0;
    size_t bytes = sizeof cores;
    if (sysctlbyname(name, &cores, &bytes, nullptr, 0) == 0 && cores > 0) return cores;
  }
  return 1;
}

#else

namespace {

std::string first_line(const std::string& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// The number after a name, as in "MemAvailable:  123 kB" or "inactive_file 123".
std::optional<uint64_t> named_number(const char* path, const std::string& name) {
  std::ifstream file(path);
  std::string word;
  uint64_t value;
  while (file >> word) {
    if (word == name && file >> value) return value;
    std::getline(file, word);
  }
  return std::nullopt;
}

/// What the memory limit of a container leaves; file pages count as free because the kernel drops them on demand.
std::optional<uint64_t> container_available_bytes() {
  const std::string limit = first_line("/sys/fs/cgroup/memory.max");
  if (limit.empty() || limit == "max") return std::nullopt;
  const uint64_t used = std::strtoull(first_line("/sys/fs/cgroup/memory.current").c_str(), nullptr, 10);
  const char* stat = "/sys/fs/cgroup/memory.stat";
  const uint64_t files = named_number(stat, "active_file").value_or(0) + named_number(stat, "inactive_file").value_or(0);
  const uint64_t held = used > files ? used - files : 0;
  const uint64_t bytes = std::strtoull(limit.c_str(), nullptr, 10);
  return bytes > held ? bytes - held : 0;
}

/// Processors' worth of time a container may use, rounded up; affinity does not show it.
std::optional<int> container_cpu_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota_us;
  double period_us;
  if (!(file >> quota_us >> period_us) || quota_us <= 0 || period_us <= 0) return std::nullopt;  // "max": no limit
  return std::max(1, static_cast<int>(std::ceil(quota_us / period_us)));
}

}  // namespace

uint64_t available_memory_bytes() {
  const uint64_t machine = named_number("/proc/meminfo", "MemAvailable:").value_or(0) * 1024;
  return std::min(machine, container_available_bytes().value_or(UINT64_MAX));
}

int physical_core_count() {
  cpu_set_t allowed;
  CPU_ZERO(&allowed);
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0) return 1;
  std::set<std::string> cores;  // named by their sibling threads
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &allowed)) continue;
    const std::string siblings =
        first_line("/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/thread_siblings_list");
    cores.insert(siblings.empty() ? std::to_string(cpu) : siblings);
  }
  const int n_cores = std::max(1, static_cast<int>(cores.size()));
  return std::min(n_cores, container_cpu_quota().value_or(n_cores));
}

#endif

}  // namespace hotpath
