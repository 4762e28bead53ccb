/*
 * Preloaded into a process, records every write below a folder and every sync, so that a power cut can be simulated
 * afterwards: whatever was not synced may be lost. A sync counts once it has succeeded.
 *
 * UNSYNCED_DIR  the watched folder
 * UNSYNCED_LOG  the file for the records: each is a header, then the bytes before the write, then the bytes after it
 *
 * The power may also fail while the process waits for a sync:
 *
 * UNSYNCED_KILL_AT    the number, from 1, of the sync that kills the process before it takes effect
 * UNSYNCED_KILL_FILE  syncs are counted once this file exists
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { WRITE = 1, SYNC = 2, TRUNCATE = 3 };

struct header {
  uint64_t type, inode, offset, length, length_before, size_before;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int log_descriptor = -1;

static ssize_t (*real_pwrite)(int, const void *, size_t, off64_t);
static ssize_t (*real_write)(int, const void *, size_t);
static int (*real_ftruncate)(int, off64_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);

static void prepare(void) {
  if (real_write != NULL) return;
  real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
  real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
  real_fsync = dlsym(RTLD_NEXT, "fsync");
  real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
  real_write = dlsym(RTLD_NEXT, "write");
}

/* Whether a descriptor is a file below the watched folder. The index of the write-ahead log (-shm) is not data. */
static int watched(int descriptor, struct stat *facts) {
  const char *folder = getenv("UNSYNCED_DIR");
  char link[64], path[PATH_MAX];
  if (folder == NULL || fstat(descriptor, facts) != 0 || !S_ISREG(facts->st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  return strncmp(path, folder, strlen(folder)) == 0 && strstr(path, "-shm") == NULL;
}

static void record(const struct header *head, const void *before, const void *after) {
  if (log_descriptor < 0) {
    const char *path = getenv("UNSYNCED_LOG");
    log_descriptor = open(path == NULL ? "/dev/null" : path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  struct iovec parts[3] = {
      {(void *)head, sizeof *head},
      {(void *)before, head->length_before},
      {(void *)after, head->type == WRITE ? head->length : 0},
  };
  size_t total = parts[0].iov_len + parts[1].iov_len + parts[2].iov_len;
  char *whole = malloc(total), *end = whole;
  for (int i = 0; i < 3; i++) {
    if (parts[i].iov_len > 0) memcpy(end, parts[i].iov_base, parts[i].iov_len);
    end += parts[i].iov_len;
  }
  real_write(log_descriptor, whole, total);
  free(whole);
}

static ssize_t recorded_write(int descriptor, const void *data, size_t length, off64_t offset) {
  struct stat facts;
  prepare();
  if (!watched(descriptor, &facts)) return real_pwrite(descriptor, data, length, offset);
  pthread_mutex_lock(&lock);
  void *before = malloc(length > 0 ? length : 1);
  /* An append-only descriptor cannot be read, but there is nothing yet where it appends. */
  ssize_t had = pread(descriptor, before, length, offset);
  struct header head = {WRITE, facts.st_ino, offset, length, had > 0 ? had : 0, facts.st_size};
  record(&head, before, data);
  ssize_t written = real_pwrite(descriptor, data, length, offset);
  pthread_mutex_unlock(&lock);
  free(before);
  return written;
}

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
  return recorded_write(descriptor, data, length, offset);
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
  return recorded_write(descriptor, data, length, offset);
}

ssize_t write(int descriptor, const void *data, size_t length) {
  struct stat facts;
  prepare();
  if (!watched(descriptor, &facts)) return real_write(descriptor, data, length);
  pthread_mutex_lock(&lock);
  int appends = fcntl(descriptor, F_GETFL) & O_APPEND;
  off64_t offset = appends ? facts.st_size : lseek64(descriptor, 0, SEEK_CUR);
  struct header head = {WRITE, facts.st_ino, offset, length, 0, facts.st_size};
  record(&head, NULL, data);
  ssize_t written = real_write(descriptor, data, length);
  pthread_mutex_unlock(&lock);
  return written;
}

int ftruncate64(int descriptor, off64_t length) {
  struct stat facts;
  prepare();
  if (watched(descriptor, &facts)) {
    pthread_mutex_lock(&lock);
    struct header head = {TRUNCATE, facts.st_ino, 0, length, 0, facts.st_size};
    record(&head, NULL, NULL);
    pthread_mutex_unlock(&lock);
  }
  return real_ftruncate(descriptor, length);
}

int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }

static void die_if_due(void) {
  static long left;
  const char *at = getenv("UNSYNCED_KILL_AT"), *file = getenv("UNSYNCED_KILL_FILE");
  if (at == NULL || file == NULL || access(file, F_OK) != 0) return;
  if (left == 0) left = atol(at);
  if (--left == 0) kill(getpid(), SIGKILL);
}

/* Writes wait during a sync, so that all writes recorded before it were done when it began. */
static int synced(int descriptor, int (*sync)(int)) {
  struct stat facts;
  if (!watched(descriptor, &facts)) return sync(descriptor);
  pthread_mutex_lock(&lock);
  die_if_due();
  int result = sync(descriptor);
  struct header head = {SYNC, facts.st_ino, 0, 0, 0, facts.st_size};
  if (result == 0) record(&head, NULL, NULL);
  pthread_mutex_unlock(&lock);
  return result;
}

int fsync(int descriptor) {
  prepare();
  return synced(descriptor, real_fsync);
}

int fdatasync(int descriptor) {
  prepare();
  return synced(descriptor, real_fdatasync);
}
