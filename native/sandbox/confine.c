// hotpath-confine: runs one program without network, writing, other processes, signals to others, and with few
// readable files. Linux on x86-64 and arm64.
//
//   hotpath-confine [--read PATH]... [--run PATH]... [--memory BYTES] [--cpu SECONDS] [--without LAYER]... -- PROGRAM ARG...
//
//   --read     a file or folder the program may read; --run: and execute or map as code
//   --memory   limit of writable private memory; --cpu: of processor time
//   --without  leaves a layer out, to see what is done then: namespaces, landlock, seccomp
//
// The program starts with an empty environment. One line on stderr comes before anything of the program's and tells
// which layers hold; its reader compares it with what the program itself can do. What cannot be set up ends everything
// with status 125. Namespaces and Landlock are optional, as kernels and containers refuse them; where Landlock is
// missing but namespaces are not, a private root of read-only mounts takes its place.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined(__x86_64__)
#define THIS_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCH AUDIT_ARCH_AARCH64
#else
#error "hotpath-confine knows the system calls of x86-64 and arm64 only"
#endif

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { kSetupFailed = 125, kMaxPaths = 512 };

struct Options {
  struct Path {
    const char *path;
    bool is_executable;
  } paths[kMaxPaths];
  size_t n_paths;
  rlim_t memory_bytes, cpu_seconds;
  bool without_namespaces, without_landlock, without_seccomp;
  char **command;
};

struct Layers {
  bool namespaces, private_root, seccomp;
  int landlock_abi;
};

static void fail(const char *what, const char *subject) {
  dprintf(2, "hotpath-confine: %s %s: %s\n", what, subject, strerror(errno));
  _exit(kSetupFailed);
}

static void refuse_usage(const char *argument) {
  dprintf(2, "hotpath-confine: cannot use the argument \"%s\"\n", argument);
  _exit(kSetupFailed);
}

// --- namespaces

static void write_file(const char *path, const char *text) {
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0 || write(file, text, strlen(text)) < 0) fail("writing", path);
  close(file);
}

// Ends with the status of the process it waits for.
static void wait_for(pid_t child) {
  int status;
  while (waitpid(child, &status, 0) < 0)
    if (errno != EINTR) fail("waiting for", "the program");
  _exit(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}

// Returns in a process that is number 1 of its own namespace; false, with nothing changed, where the kernel refuses.
static bool enter_namespaces(void) {
  uid_t user = getuid();
  gid_t group = getgid();
  // One call, so that a refusal leaves nothing half done.
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWPID | CLONE_NEWNS)) return false;
  char map[64];
  write_file("/proc/self/setgroups", "deny");
  snprintf(map, sizeof map, "%u %u 1", user, user);
  write_file("/proc/self/uid_map", map);
  snprintf(map, sizeof map, "%u %u 1", group, group);
  write_file("/proc/self/gid_map", map);
  pid_t child = fork();
  if (child < 0) fail("starting", "a process in the new namespaces");
  if (child > 0) wait_for(child);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) fail("prctl", "PR_SET_PDEATHSIG");
  return true;
}

// --- a private root of read-only mounts

static void make_mount_point(char *path, bool is_folder) {
  for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    mkdir(path, 0755);  // There already, or the next call tells.
    *slash = '/';
  }
  if (is_folder) {
    mkdir(path, 0755);
    return;
  }
  int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
  if (file >= 0) close(file);
}

// What the mount had must be said again: in a user namespace those flags are locked.
static unsigned long mount_flags_of(const char *path) {
  struct statvfs volume;
  if (statvfs(path, &volume)) fail("statvfs", path);
  static const struct {
    unsigned long of_statvfs, of_mount;
  } flags[] = {{ST_NOSUID, MS_NOSUID},   {ST_NODEV, MS_NODEV},           {ST_NOEXEC, MS_NOEXEC},
               {ST_NOATIME, MS_NOATIME}, {ST_NODIRATIME, MS_NODIRATIME}, {ST_RELATIME, MS_RELATIME}};
  unsigned long result = 0;
  for (size_t i = 0; i < COUNT(flags); i++)
    if (volume.f_flag & flags[i].of_statvfs) result |= flags[i].of_mount;
  return result;
}

static void mount_read_only(const char *source, const char *target) {
  if (mount(source, target, NULL, MS_BIND | MS_REC, NULL)) fail("mounting", target);
  unsigned long flags = MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | mount_flags_of(target);
  if (mount(NULL, target, NULL, flags, NULL)) fail("making read-only", target);
}

static void enter_private_root(const struct Options *options) {
  static const char base[] = "/proc";  // Always there, and never holds one of the listed files.
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) fail("mount", "private /");
  if (mount("none", base, "tmpfs", MS_NOSUID | MS_NODEV, "size=1m")) fail("mount", "tmpfs");
  for (size_t i = 0; i < options->n_paths; i++) {
    char real[PATH_MAX], target[PATH_MAX + sizeof base];
    struct stat status;
    if (!realpath(options->paths[i].path, real) || stat(real, &status)) continue;  // Absent: not readable either.
    // Libraries are asked for by the name of a link, so a file appears under both of its names.
    const char *names[] = {real, options->paths[i].path};
    for (size_t n = 0; n < (strcmp(names[0], names[1]) ? 2 : 1); n++) {
      snprintf(target, sizeof target, "%s%s", base, names[n]);
      make_mount_point(target, S_ISDIR(status.st_mode));
      mount_read_only(real, target);
    }
  }
  if (chdir(base) || syscall(SYS_pivot_root, ".", ".")) fail("pivot_root", base);
  if (umount2(".", MNT_DETACH)) fail("detaching", "the old root");
  if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL))
    fail("making read-only", "/");
  if (chdir("/")) fail("chdir", "/");
}

// --- limits and privileges

static void set_limit(int resource, rlim_t value) {
  struct rlimit limit = {value, value};
  if (setrlimit(resource, &limit)) fail("setrlimit", "");
}

static void set_limits(const struct Options *options) {
  set_limit(RLIMIT_CORE, 0);
  set_limit(RLIMIT_FSIZE, 0);
  set_limit(RLIMIT_NOFILE, 64);
  set_limit(RLIMIT_MSGQUEUE, 0);
  set_limit(RLIMIT_MEMLOCK, 0);
  if (options->memory_bytes) set_limit(RLIMIT_DATA, options->memory_bytes);
  if (options->cpu_seconds) set_limit(RLIMIT_CPU, options->cpu_seconds);
}

// Matters when started by root, and in the user namespace, where everyone starts with every capability.
static void drop_privileges(void) {
  // Past the last capability, or without the right to: capset below decides.
  for (int capability = 0; capability < 64; capability++) prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |
                               SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED |
                               SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED);
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0}};
  if (syscall(SYS_capset, &header, none)) fail("capset", "");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) fail("prctl", "PR_SET_NO_NEW_PRIVS");
}

// --- Landlock, by numbers of our own: the system's headers may be older than its kernel

enum { kLandlockCreateRuleset = 444, kLandlockAddRule = 445, kLandlockRestrictSelf = 446 };

struct LandlockRuleset {
  uint64_t files, network, scopes;
};
struct LandlockPath {
  uint64_t access;
  int32_t folder;
} __attribute__((packed));

// 0: this kernel has none. The list in securityfs is no help: it is often not mounted.
static int landlock_abi(void) {
  long abi = syscall(kLandlockCreateRuleset, NULL, 0, 1 /* tell the version */);
  return abi < 0 ? 0 : (int)abi;
}

static void enter_landlock(const struct Options *options, int abi) {
  enum { kExecute = 1 << 0, kReadFile = 1 << 2, kReadFolder = 1 << 3 };
  // Everything the kernel's version can refuse is refused; what it does not know it would reject.
  struct LandlockRuleset ruleset = {.files = (1 << 13) - 1};
  if (abi >= 2) ruleset.files |= 1 << 13;  // linking and renaming between folders
  if (abi >= 3) ruleset.files |= 1 << 14;  // truncating
  if (abi >= 4) ruleset.network = 3;       // TCP
  if (abi >= 5) ruleset.files |= 1 << 15;  // device ioctl
  if (abi >= 6) ruleset.scopes = 3;        // abstract sockets, signals
  size_t size = abi >= 6 ? 24 : abi >= 4 ? 16 : 8;
  int rules = (int)syscall(kLandlockCreateRuleset, &ruleset, size, 0);
  if (rules < 0) fail("landlock", "create ruleset");
  for (size_t i = 0; i < options->n_paths; i++) {
    const struct Path *each = &options->paths[i];
    struct LandlockPath rule = {kReadFile | (each->is_executable ? kExecute : 0),
                                open(each->path, O_PATH | O_CLOEXEC)};
    struct stat status;
    if (rule.folder < 0) continue;  // Absent: not readable either.
    if (fstat(rule.folder, &status)) fail("fstat", each->path);
    if (S_ISDIR(status.st_mode)) rule.access |= kReadFolder;
    if (syscall(kLandlockAddRule, rules, 1 /* beneath a path */, &rule, 0)) fail("landlock", each->path);
    close(rule.folder);
  }
  if (syscall(kLandlockRestrictSelf, rules, 0)) fail("landlock", "restrict self");
  close(rules);
}

// --- seccomp: what is not listed answers EPERM

static const int kAllowed[] = {
    // memory
    SYS_mmap, SYS_munmap, SYS_mprotect, SYS_mremap, SYS_madvise, SYS_brk, SYS_mincore,
    // threads; clone has a condition below
    SYS_futex, SYS_set_robust_list, SYS_get_robust_list, SYS_set_tid_address, SYS_rseq, SYS_gettid, SYS_sched_yield,
    SYS_sched_getaffinity, SYS_sched_getparam, SYS_sched_getscheduler, SYS_membarrier, SYS_exit, SYS_exit_group,
    SYS_restart_syscall,
    // its own signals
    SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_rt_sigtimedwait, SYS_sigaltstack,
    // files and pipes; opening has a condition below
    SYS_read, SYS_write, SYS_readv, SYS_writev, SYS_pread64, SYS_lseek, SYS_close, SYS_close_range, SYS_fstat,
    SYS_newfstatat, SYS_statx, SYS_readlinkat, SYS_faccessat, SYS_faccessat2, SYS_getcwd, SYS_getdents64,
    SYS_dup, SYS_dup3, SYS_pipe2, SYS_ppoll, SYS_eventfd2, SYS_epoll_create1, SYS_epoll_ctl, SYS_epoll_pwait,
    SYS_timerfd_create, SYS_timerfd_settime,
    // stdin and stdout as Node makes them: pairs of sockets
    SYS_recvmsg, SYS_sendmsg, SYS_shutdown, SYS_getsockname, SYS_getsockopt,
    // who, when, how much
    SYS_getpid, SYS_getppid, SYS_getuid, SYS_geteuid, SYS_getgid, SYS_getegid, SYS_capget, SYS_uname, SYS_sysinfo,
    SYS_getrandom, SYS_getrusage, SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_gettimeofday, SYS_getcpu,
#ifdef __x86_64__
    SYS_stat, SYS_lstat, SYS_access, SYS_readlink, SYS_dup2, SYS_pipe, SYS_poll, SYS_epoll_wait, SYS_arch_prctl,
    SYS_time, SYS_getrlimit,
#endif
};

static struct sock_filter filter[512];
static unsigned short n_filter;

static void emit(unsigned short code, uint32_t operand, uint8_t if_true, uint8_t if_false) {
  if (n_filter == COUNT(filter)) {
    errno = E2BIG;
    fail("seccomp", "filter");
  }
  filter[n_filter++] = (struct sock_filter){code, if_true, if_false, operand};
}

static void load(size_t offset) { emit(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0); }
static void answer(uint32_t action) { emit(BPF_RET | BPF_K, action, 0, 0); }
static void refuse(int error) { answer(SECCOMP_RET_ERRNO | (uint32_t)error); }
// A filter runs forward only; both targets count the instructions to skip.
static void jump_if_equal(uint32_t value, uint8_t if_true, uint8_t if_false) {
  emit(BPF_JMP | BPF_JEQ | BPF_K, value, if_true, if_false);
}
// The low half of an argument; both architectures are little-endian.
static size_t argument(int index) { return offsetof(struct seccomp_data, args) + 8 * (size_t)index; }

// Allows the call when the masked low half of the argument is one of the values.
static void allow_if(int call, int index, uint32_t mask, const uint32_t *values, uint8_t n_values, int error) {
  jump_if_equal((uint32_t)call, 0, (uint8_t)(n_values + 4));
  load(argument(index));
  emit(BPF_ALU | BPF_AND | BPF_K, mask, 0, 0);
  for (uint8_t i = 0; i < n_values; i++) jump_if_equal(values[i], (uint8_t)(n_values - i), 0);
  refuse(error);
  answer(SECCOMP_RET_ALLOW);
}

static void allow_if_is(int call, int index, uint32_t mask, uint32_t value, int error) {
  allow_if(call, index, mask, &value, 1, error);
}

// Allows the call when the whole argument is this pointer.
static void allow_if_pointer(int call, int index, uint64_t pointer, int error) {
  jump_if_equal((uint32_t)call, 0, 6);
  load(argument(index));
  jump_if_equal((uint32_t)pointer, 0, 2);
  load(argument(index) + 4);
  jump_if_equal((uint32_t)(pointer >> 32), 1, 0);
  refuse(error);
  answer(SECCOMP_RET_ALLOW);
}

// A condition on two arguments; the conditions behind it find the number of the call loaded again.
static void refuse_asynchronous_files(void) {
  jump_if_equal(SYS_fcntl, 0, 6);
  load(argument(1));
  jump_if_equal(F_SETFL, 0, 3);
  load(argument(2));
  emit(BPF_JMP | BPF_JSET | BPF_K, O_ASYNC, 0, 1);
  refuse(EPERM);
  load(offsetof(struct seccomp_data, nr));
}

static void refuse_call(int call, int error) {
  jump_if_equal((uint32_t)call, 0, 1);
  refuse(error);
}

static void write_conditions(const char *program) {
  static const uint32_t ioctls[] = {0x5401 /* TCGETS */, 0x5421 /* FIONBIO */, 0x5451 /* FIOCLEX */,
                                    0x541b /* FIONREAD */};
  static const uint32_t prctls[] = {PR_SET_NAME, PR_GET_NAME, 0x53564d41 /* PR_SET_VMA */, PR_GET_DUMPABLE,
                                    PR_CAPBSET_READ};
  static const uint32_t fcntls[] = {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD, F_DUPFD_CLOEXEC};
  const uint32_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | (O_TMPFILE & ~O_DIRECTORY);
  allow_if_is(SYS_openat, 2, writing, O_RDONLY, EROFS);
#ifdef SYS_open
  allow_if_is(SYS_open, 1, writing, O_RDONLY, EROFS);
#endif
  // With F_SETOWN, F_SETSIG and O_ASYNC the kernel sends any signal to any process of the same user.
  refuse_asynchronous_files();
  allow_if(SYS_fcntl, 1, UINT32_MAX, fcntls, COUNT(fcntls), EPERM);
  // Threads, no processes. clone3 keeps its flags in memory, where a filter cannot look: libc falls back to clone.
  allow_if_is(SYS_clone, 0, CLONE_THREAD, CLONE_THREAD, EPERM);
  refuse_call(SYS_clone3, ENOSYS);
  // The one exec that starts the program; its path lies at an address of this process that the next cannot guess.
  allow_if_pointer(SYS_execve, 0, (uint64_t)(uintptr_t)program, EPERM);
  // Signals to itself: abort.
  allow_if_is(SYS_tgkill, 0, UINT32_MAX, (uint32_t)getpid(), EPERM);
  // Limits may be read, not set.
  allow_if_pointer(SYS_prlimit64, 2, 0, EPERM);
  allow_if(SYS_ioctl, 1, UINT32_MAX, ioctls, COUNT(ioctls), ENOTTY);
  allow_if(SYS_prctl, 0, UINT32_MAX, prctls, COUNT(prctls), EINVAL);
  // Tried by libuv and V8, which do without.
  refuse_call(SYS_io_uring_setup, ENOSYS);
  refuse_call(SYS_pkey_alloc, ENOSYS);
}

static void enter_seccomp(const char *program) {
  load(offsetof(struct seccomp_data, arch));
  jump_if_equal(THIS_ARCH, 1, 0);
  answer(SECCOMP_RET_KILL_PROCESS);
  load(offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
  emit(BPF_JMP | BPF_JGE | BPF_K, 0x40000000 /* the calls of x32 */, 0, 1);
  answer(SECCOMP_RET_KILL_PROCESS);
#endif
  for (size_t i = 0; i < COUNT(kAllowed); i++) {
    jump_if_equal((uint32_t)kAllowed[i], 0, 1);
    answer(SECCOMP_RET_ALLOW);
  }
  write_conditions(program);
  refuse(EPERM);
  struct sock_fprog compiled = {n_filter, filter};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &compiled)) fail("seccomp", "");
  // Tried here: Node, which tries the other walls, has no call for it.
  if (fcntl(0, F_SETOWN, getpid()) == 0 || errno != EPERM) fail("seccomp", "does not hold");
}

// --- from the command line to the program

static void leave_out(struct Options *options, const char *layer) {
  if (strcmp(layer, "namespaces") == 0) options->without_namespaces = true;
  else if (strcmp(layer, "landlock") == 0) options->without_landlock = true;
  else if (strcmp(layer, "seccomp") == 0) options->without_seccomp = true;
  else refuse_usage(layer);
}

static rlim_t parse_limit(const char *text) {
  char *end;
  errno = 0;
  unsigned long long value = strtoull(text, &end, 10);
  if (errno || *end || end == text || value == 0) refuse_usage(text);
  return (rlim_t)value;
}

static void parse(int argc, char **argv, struct Options *options) {
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--"); i += 2) {
    const char *name = argv[i], *value = i + 1 < argc ? argv[i + 1] : NULL;
    if (!value) refuse_usage(name);
    bool is_run = strcmp(name, "--run") == 0;
    if (is_run || strcmp(name, "--read") == 0) {
      if (options->n_paths == kMaxPaths) refuse_usage(value);
      options->paths[options->n_paths++] = (struct Path){value, is_run};
    } else if (strcmp(name, "--memory") == 0) options->memory_bytes = parse_limit(value);
    else if (strcmp(name, "--cpu") == 0) options->cpu_seconds = parse_limit(value);
    else if (strcmp(name, "--without") == 0) leave_out(options, value);
    else refuse_usage(name);
  }
  if (i + 1 >= argc) refuse_usage("(no program)");
  options->command = argv + i + 1;
}

static void close_inherited_files(void) {
  if (syscall(SYS_close_range, 3, UINT_MAX, 0) == 0) return;
  for (int file = 3; file < 1024; file++) close(file);  // Before Linux 5.9.
}

int main(int argc, char **argv) {
  static struct Options options;
  parse(argc, argv, &options);
  if (prctl(PR_SET_PDEATHSIG, SIGKILL)) fail("prctl", "PR_SET_PDEATHSIG");
  setsid();  // kill(0, ...) must not reach the parent's group; it fails when this process leads a group already.
  close_inherited_files();

  struct Layers layers = {.landlock_abi = options.without_landlock ? 0 : landlock_abi()};
  layers.namespaces = !options.without_namespaces && enter_namespaces();
  if (layers.namespaces && layers.landlock_abi == 0) {
    enter_private_root(&options);
    layers.private_root = true;
  }
  set_limits(&options);
  drop_privileges();
  if (layers.landlock_abi > 0) enter_landlock(&options, layers.landlock_abi);
  if (!options.without_seccomp) {
    enter_seccomp(options.command[0]);
    layers.seccomp = true;
  }
  dprintf(2, "hotpath-confine: namespaces=%d root=%d landlock=%d seccomp=%d\n", layers.namespaces,
          layers.private_root, layers.landlock_abi, layers.seccomp);
  char *no_environment[] = {NULL};
  execve(options.command[0], options.command, no_environment);
  fail("starting", options.command[0]);
}
