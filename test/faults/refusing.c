/*
 * Preloaded into a process, simulates a disk that refuses writes below a folder, for as long as a switch file exists.
 *
 * REFUSING_DIR     the folder, or a single file
 * REFUSING_SWITCH  while this file exists, writes fail with the errno that it contains; if an "s" precedes the number,
 *                  only fdatasync fails
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The errno with which writes to this descriptor fail or, with is_sync, its fdatasync; 0 for none. */
static int refused(int descriptor, int is_sync) {
  const char *folder = getenv("REFUSING_DIR"), *file = getenv("REFUSING_SWITCH");
  char link[64], path[PATH_MAX], number[16] = "";
  struct stat facts;
  if (folder == NULL || file == NULL || access(file, F_OK) != 0) return 0;
  if (fstat(descriptor, &facts) != 0 || !S_ISREG(facts.st_mode)) return 0;
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  ssize_t length = readlink(link, path, sizeof path - 1);
  if (length <= 0) return 0;
  path[length] = 0;
  size_t named = strlen(folder);
  if (strncmp(path, folder, named) != 0 || (path[named] != '/' && path[named] != 0)) return 0;
  int control = open(file, O_RDONLY | O_CLOEXEC);
  if (control < 0) return 0;
  length = read(control, number, sizeof number - 1);
  close(control);
  if (length <= 0 || (number[0] == 's') != is_sync) return 0;
  return atoi(number + is_sync);
}

#define REFUSE_OR(descriptor, name, type, ...)                                                    \
  int error = refused(descriptor, 0);                                                             \
  if (error != 0) {                                                                               \
    errno = error;                                                                                \
    return -1;                                                                                    \
  }                                                                                               \
  return ((type)dlsym(RTLD_NEXT, name))(__VA_ARGS__)

ssize_t pwrite64(int descriptor, const void *data, size_t length, off64_t offset) {
  REFUSE_OR(descriptor, "pwrite64", ssize_t(*)(int, const void *, size_t, off64_t), descriptor, data, length, offset);
}

ssize_t pwrite(int descriptor, const void *data, size_t length, off_t offset) {
  REFUSE_OR(descriptor, "pwrite", ssize_t(*)(int, const void *, size_t, off_t), descriptor, data, length, offset);
}

ssize_t write(int descriptor, const void *data, size_t length) {
  REFUSE_OR(descriptor, "write", ssize_t(*)(int, const void *, size_t), descriptor, data, length);
}

int fdatasync(int descriptor) {
  int error = refused(descriptor, 1);
  if (error == 0) return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(descriptor);
  errno = error;
  return -1;
}

int ftruncate64(int descriptor, off64_t length) {
  REFUSE_OR(descriptor, "ftruncate64", int (*)(int, off64_t), descriptor, length);
}
