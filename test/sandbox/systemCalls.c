// Tries system calls directly, so that the helper's filter is tested and not what Node would refuse by itself.
//   systemCalls PID      another process, of the same user
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static void tried(const char *name, long result) {
  printf("%s: %s\n", name, result < 0 ? strerror(errno) : "succeeded");
  fflush(stdout);
}

#define TRY(name, call) (errno = 0, tried(name, (long)(call)))

static long fork_and_end(void) {
  long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  return child;
}

static void try_sockets_and_processes(pid_t other) {
  int pair[2];
  TRY("socket of the internet", socket(AF_INET, SOCK_STREAM, 0));
  TRY("socket of this machine", socket(AF_UNIX, SOCK_STREAM, 0));
  TRY("socket of the kernel", socket(AF_NETLINK, SOCK_RAW, 0));
  TRY("raw socket", socket(AF_PACKET, SOCK_RAW, 0));
  TRY("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
  TRY("fork", fork_and_end());
  TRY("vfork", syscall(SYS_clone, CLONE_VM | CLONE_VFORK | SIGCHLD, NULL, 0, 0, 0) == 0 ? (_exit(0), 0) : -1);
  TRY("clone3", syscall(SYS_clone3, NULL, 0));
  TRY("kill another", kill(other, 0));
  TRY("kill the parent", kill(getppid(), 0));
  TRY("kill the group", kill(0, 0));
  TRY("kill all", kill(-1, 0));
  TRY("tgkill another", syscall(SYS_tgkill, other, other, 0));
  TRY("tkill another", syscall(SYS_tkill, other, 0));
  TRY("tgkill to itself", syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), 0));
  TRY("pidfd_open", syscall(SYS_pidfd_open, other, 0));
  TRY("rt_sigqueueinfo", syscall(SYS_rt_sigqueueinfo, other, 0, NULL));
  TRY("ptrace", ptrace(PTRACE_SEIZE, other, 0, 0));
  char bytes[8];
  struct iovec local = {bytes, sizeof bytes};
  TRY("process_vm_readv", process_vm_readv(other, &local, 1, &local, 1, 0));
  TRY("process_vm_writev", process_vm_writev(other, &local, 1, &local, 1, 0));
  TRY("setpriority of another", setpriority(PRIO_PROCESS, other, 19));
  TRY("sched_setaffinity of another", syscall(SYS_sched_setaffinity, other, 0, NULL));
  struct rlimit limit = {1, 1};
  TRY("prlimit of another", syscall(SYS_prlimit64, other, RLIMIT_NOFILE, &limit, NULL));
}

// The kernel would signal the owner of a pipe, who may be anybody of the same user, when something comes through it.
static void try_signals_of_files(pid_t other) {
  int ends[2];
  if (pipe(ends)) return;
  struct f_owner_ex owner = {F_OWNER_PID, other};
  TRY("own a pipe for another", fcntl(ends[0], F_SETOWN, other));
  TRY("own a pipe for another thread", fcntl(ends[0], F_SETOWN_EX, &owner));
  TRY("choose a pipe's signal", fcntl(ends[0], F_SETSIG, SIGURG));
  TRY("ask for a pipe's signals", fcntl(ends[0], F_SETFL, O_ASYNC | O_NONBLOCK));
  TRY("ask for them by ioctl", ioctl(ends[0], FIOASYNC, &(int){1}));
  TRY("lease a file", fcntl(ends[0], F_SETLEASE, F_RDLCK));
  TRY("watch a folder", fcntl(ends[0], F_NOTIFY, DN_CREATE));
}

static void try_files(void) {
  TRY("open a system file", open("/etc/passwd", O_RDONLY));
  TRY("open for writing", open("/tmp/hotpath-system-calls", O_WRONLY | O_CREAT, 0600));
  TRY("open without a name", open("/tmp", O_TMPFILE | O_RDWR, 0600));
  TRY("openat2", syscall(SYS_openat2, AT_FDCWD, "/etc/passwd", NULL, 0));
  TRY("creat", creat("/tmp/hotpath-system-calls", 0600));
  TRY("memfd_create", syscall(SYS_memfd_create, "x", 0));
  TRY("mkdir", mkdir("/tmp/hotpath-system-calls", 0700));
  TRY("symlink", symlink("/etc", "/tmp/hotpath-system-calls"));
  TRY("link", link("/etc/passwd", "/tmp/hotpath-system-calls"));
  TRY("rename", rename("/tmp/hotpath-a", "/tmp/hotpath-b"));
  TRY("unlink", unlink("/tmp/hotpath-system-calls"));
  TRY("truncate", truncate("/tmp/hotpath-system-calls", 0));
  TRY("chmod", chmod("/tmp", 0777));
  TRY("chdir", chdir("/"));
  TRY("chroot", chroot("/tmp"));
  TRY("mount", mount("x", "/tmp", "tmpfs", 0, NULL));
  TRY("umount", umount("/proc"));
  TRY("inotify_init", syscall(SYS_inotify_init1, 0));
  TRY("name_to_handle_at", syscall(SYS_name_to_handle_at, AT_FDCWD, "/", NULL, NULL, 0));
}

static void try_the_kernel(void) {
  TRY("unshare", unshare(CLONE_NEWUSER));
  TRY("setns", setns(0, 0));
  TRY("io_uring_setup", syscall(SYS_io_uring_setup, 8, NULL));
  TRY("bpf", syscall(SYS_bpf, 0, NULL, 0));
  TRY("perf_event_open", syscall(SYS_perf_event_open, NULL, 0, 0, 0, 0));
  TRY("userfaultfd", syscall(SYS_userfaultfd, 0));
  TRY("keyctl", syscall(SYS_keyctl, 0, 0));
  TRY("personality", syscall(SYS_personality, 0xffffffff));
  TRY("type into the terminal", ioctl(0, TIOCSTI, "x"));
  TRY("outlive the parent", prctl(PR_SET_PDEATHSIG, 0));
  TRY("become traceable", prctl(PR_SET_DUMPABLE, 1));
  struct rlimit limit = {1, 1};
  TRY("raise a limit", setrlimit(RLIMIT_NOFILE, &limit));
  TRY("setuid", syscall(SYS_setuid, 0));
  TRY("capset", syscall(SYS_capset, NULL, NULL));
  TRY("seccomp", syscall(SYS_seccomp, 1, 0, NULL));
  TRY("landlock", syscall(444, NULL, 0, 1));
  TRY("shmget", syscall(SYS_shmget, 1, 4096, 01600));
  TRY("mq_open", syscall(SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL));
  TRY("settimeofday", syscall(SYS_settimeofday, NULL, NULL));
  TRY("reboot", syscall(SYS_reboot, 0, 0, 0, NULL));
  TRY("init_module", syscall(SYS_init_module, NULL, 0, ""));
}

int main(int argc, char **argv) {
  pid_t other = argc > 1 ? atoi(argv[1]) : 1;
  try_sockets_and_processes(other);
  try_signals_of_files(other);
  try_files();
  try_the_kernel();
  char *empty[] = {NULL};
  TRY("execveat", syscall(SYS_execveat, AT_FDCWD, "/bin/true", empty, empty, 0));
  TRY("execve", execve("/bin/true", empty, empty));
  return 0;
}
