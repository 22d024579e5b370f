// Preloaded into a process under test: lets the k-th system call of some kinds, on files under one folder, fail, come
// short, or end the process. Calls that glibc makes inside itself (stdio) are not seen, but fwrite and fopen are.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { kWrite = 1, kSync = 2, kRename = 4, kCreate = 8, kMkdir = 16, kRemove = 32, kRead = 64, kOpen = 128 };
enum { kNothing, kFail, kFailOn, kShort, kKill, kInterrupt };

static char folder[PATH_MAX];
static size_t folder_bytes;
static unsigned kinds;
static long at;
static int action, number;
static long* seen;  // shared with the parent process, which reads it after the child's end

static long* counter(void) {
  if (seen == NULL) {
    seen = mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  }
  return seen;
}

void faults_arm(const char* where, unsigned which, long k, int what, int error) {
  snprintf(folder, sizeof folder, "%s", where);
  folder_bytes = strlen(folder);
  at = k;
  action = what;
  number = error;
  *counter() = 0;
  kinds = which;
}

long faults_seen(void) { return *counter(); }

__attribute__((constructor)) static void arm_from_environment(void) {
  const char* text = getenv("SLIPWAY_FAULTS");  // folder:kinds:at:action:error
  if (text == NULL) return;
  char where[PATH_MAX];
  unsigned which = 0;
  long k = 0;
  int what = 0, error = 0;
  if (sscanf(text, "%4095[^:]:%u:%ld:%d:%d", where, &which, &k, &what, &error) == 5) {
    faults_arm(where, which, k, what, error);
  }
}

static int is_inside(const char* path) {
  return strncmp(path, folder, folder_bytes) == 0 && (path[folder_bytes] == '/' || path[folder_bytes] == '\0');
}

static int names_inside(int base, const char* path) {
  if (path[0] == '/') return is_inside(path);
  char whole[2 * PATH_MAX], link[64];
  ssize_t n;
  if (base == AT_FDCWD) {
    if (getcwd(whole, PATH_MAX) == NULL) return 0;
    n = (ssize_t)strlen(whole);
  } else {
    snprintf(link, sizeof link, "/proc/self/fd/%d", base);
    n = readlink(link, whole, PATH_MAX - 1);
    if (n < 0) return 0;
  }
  snprintf(whole + n, sizeof whole - (size_t)n, "/%s", path);
  return is_inside(whole);
}

static int open_inside(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n < 0) return 0;
  path[n] = '\0';
  return is_inside(path);
}

/// Counts a call. Returns kFail (errno is set) or kShort if that is what becomes of it, else 0.
static int meet(unsigned kind) {
  const long n = __atomic_add_fetch(counter(), 1, __ATOMIC_SEQ_CST);
  (void)kind;
  if (action == kFailOn ? n < at : n != at) return 0;
  switch (action) {
    case kFail:
    case kFailOn:
      errno = number;
      return kFail;
    case kShort:
      return kShort;
    case kKill:
      kill(getpid(), SIGKILL);
      return 0;
    case kInterrupt:
      kill(getpid(), SIGINT);
      return 0;
    default:
      return 0;
  }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define ON_NAME(kind, base, path) ((kinds & (kind)) && names_inside(base, path) ? meet(kind) : 0)
#define ON_FILE(kind, descriptor) ((kinds & (kind)) && open_inside(descriptor) ? meet(kind) : 0)

static size_t half(size_t n) { return n > 1 ? n / 2 : n; }

ssize_t write(int f, const void* p, size_t n) {
  const int what = ON_FILE(kWrite, f);
  return what == kFail ? -1 : REAL(write)(f, p, what == kShort ? half(n) : n);
}
ssize_t pwrite(int f, const void* p, size_t n, off_t o) {
  return ON_FILE(kWrite, f) == kFail ? -1 : REAL(pwrite)(f, p, n, o);
}
ssize_t pwrite64(int f, const void* p, size_t n, off64_t o) {
  return ON_FILE(kWrite, f) == kFail ? -1 : REAL(pwrite64)(f, p, n, o);
}
ssize_t writev(int f, const struct iovec* v, int n) {
  const int what = ON_FILE(kWrite, f);
  return what == kFail ? -1 : REAL(writev)(f, v, what == kShort ? 1 : n);
}
size_t fwrite(const void* p, size_t size, size_t n, FILE* f) {
  return f != stdout && f != stderr && ON_FILE(kWrite, fileno(f)) == kFail ? 0 : REAL(fwrite)(p, size, n, f);
}
ssize_t read(int f, void* p, size_t n) {
  const int what = ON_FILE(kRead, f);
  return what == kFail ? -1 : REAL(read)(f, p, what == kShort ? half(n) : n);
}
ssize_t pread(int f, void* p, size_t n, off_t o) {
  const int what = ON_FILE(kRead, f);
  return what == kFail ? -1 : REAL(pread)(f, p, what == kShort ? half(n) : n, o);
}
ssize_t pread64(int f, void* p, size_t n, off64_t o) {
  const int what = ON_FILE(kRead, f);
  return what == kFail ? -1 : REAL(pread64)(f, p, what == kShort ? half(n) : n, o);
}
int fsync(int f) { return ON_FILE(kSync, f) == kFail ? -1 : REAL(fsync)(f); }
int fdatasync(int f) { return ON_FILE(kSync, f) == kFail ? -1 : REAL(fdatasync)(f); }
int rename(const char* from, const char* to) {
  return ON_NAME(kRename, AT_FDCWD, to) == kFail ? -1 : REAL(rename)(from, to);
}
int renameat(int a, const char* from, int b, const char* to) {
  return ON_NAME(kRename, b, to) == kFail ? -1 : REAL(renameat)(a, from, b, to);
}
int renameat2(int a, const char* from, int b, const char* to, unsigned flags) {
  return ON_NAME(kRename, b, to) == kFail ? -1 : REAL(renameat2)(a, from, b, to, flags);
}
int mkdir(const char* path, mode_t mode) {
  return ON_NAME(kMkdir, AT_FDCWD, path) == kFail ? -1 : REAL(mkdir)(path, mode);
}
int mkdirat(int base, const char* path, mode_t mode) {
  return ON_NAME(kMkdir, base, path) == kFail ? -1 : REAL(mkdirat)(base, path, mode);
}
int unlink(const char* path) { return ON_NAME(kRemove, AT_FDCWD, path) == kFail ? -1 : REAL(unlink)(path); }
int rmdir(const char* path) { return ON_NAME(kRemove, AT_FDCWD, path) == kFail ? -1 : REAL(rmdir)(path); }
int unlinkat(int base, const char* path, int flags) {
  return ON_NAME(kRemove, base, path) == kFail ? -1 : REAL(unlinkat)(base, path, flags);
}

static int open_any(int base, const char* path, int flags, mode_t mode) {
  const unsigned kind = flags & (O_CREAT | O_WRONLY | O_RDWR) ? kCreate : kOpen;
  if (ON_NAME(kind, base, path) == kFail) return -1;
  return (int)syscall(SYS_openat, base, path, flags, mode);
}
#define OPEN(name, first, base)                                                                                \
  int name(first const char* path, int flags, ...) {                                                           \
    va_list rest;                                                                                              \
    va_start(rest, flags);                                                                                     \
    const mode_t mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                                                              \
    return open_any(base, path, flags, mode);                                                                  \
  }
#define NONE
#define BASE int base,
OPEN(open, NONE, AT_FDCWD)
OPEN(open64, NONE, AT_FDCWD)
OPEN(openat, BASE, base)
OPEN(openat64, BASE, base)

FILE* fopen(const char* path, const char* mode) {
  const unsigned kind = strpbrk(mode, "wa+") != NULL ? kCreate : kOpen;
  return ON_NAME(kind, AT_FDCWD, path) == kFail ? NULL : REAL(fopen)(path, mode);
}
FILE* fopen64(const char* path, const char* mode) {
  const unsigned kind = strpbrk(mode, "wa+") != NULL ? kCreate : kOpen;
  return ON_NAME(kind, AT_FDCWD, path) == kFail ? NULL : REAL(fopen64)(path, mode);
}
