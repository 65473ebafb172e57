/* Preloaded into a process: writes down, in order, all that it does to the files of one folder.
 * Each entry is a line "what file-number offset length path" and the bytes that were written. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

#define REAL(type, name, ...) ((type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name))

static void entry(const char *what, int fd, const char *named, long offset, const void *data, long length) {
    static int log = -1;
    const char *folder = getenv("DISK_FOLDER"), *target = getenv("DISK_LOG");
    char link[64], path[4096], line[4300];
    if (!folder || !target) return;
    struct stat status = {0};
    if (named) {
        snprintf(path, sizeof path, "%s", named);
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t n = readlink(link, path, sizeof path - 1);
        if (n < 0) return;
        path[n] = 0;
        fstat(fd, &status);
    }
    if (strncmp(path, folder, strlen(folder))) return;
    pthread_mutex_lock(&lock);
    if (log < 0) log = open(target, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    int n = snprintf(line, sizeof line, "%s %lu %ld %ld %s\n", what, (unsigned long)status.st_ino, offset,
                     length, path);
    REAL(ssize_t, "write", int, const void *, size_t)(log, line, n);
    if (data) REAL(ssize_t, "write", int, const void *, size_t)(log, data, length);
    pthread_mutex_unlock(&lock);
}

ssize_t pwrite64(int fd, const void *data, size_t length, off64_t offset) {
    ssize_t n = REAL(ssize_t, "pwrite64", int, const void *, size_t, off64_t)(fd, data, length, offset);
    if (n > 0) entry("write", fd, NULL, offset, data, n);
    return n;
}

ssize_t pwrite(int fd, const void *data, size_t length, off_t offset) { return pwrite64(fd, data, length, offset); }

int ftruncate64(int fd, off64_t length) {
    entry("cut", fd, NULL, length, NULL, 0);
    return REAL(int, "ftruncate64", int, off64_t)(fd, length);
}

int ftruncate(int fd, off_t length) { return ftruncate64(fd, length); }

int fsync(int fd) {
    int result = REAL(int, "fsync", int)(fd);
    entry("sync", fd, NULL, 0, NULL, 0);
    return result;
}

int fdatasync(int fd) {
    int result = REAL(int, "fdatasync", int)(fd);
    entry("sync", fd, NULL, 0, NULL, 0);
    return result;
}

int unlink(const char *path) {
    entry("unlink", -1, path, 0, NULL, 0);
    return REAL(int, "unlink", const char *)(path);
}
