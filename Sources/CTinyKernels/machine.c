// What Swift cannot ask the system itself.
#define _GNU_SOURCE
#include "include/tiny_kernels.h"

#include <stdio.h>
#include <time.h>

uint64_t tk_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__linux__)
#include <sched.h>

int tk_affinity_count(void) {
    union {
        cpu_set_t set;  // of 1024 processors, where the system may know of more
        char room[1 << 13];
    } all;
    return sched_getaffinity(0, sizeof all, &all.set) == 0 ? CPU_COUNT_S(sizeof all, &all.set) : 0;
}
#else
int tk_affinity_count(void) { return 0; }
#endif

#if defined(__linux__)
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool tk_exchange_names(const char *a, const char *b) {
    return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, 2 /* RENAME_EXCHANGE */) == 0;
}
#elif defined(__APPLE__)
bool tk_exchange_names(const char *a, const char *b) { return renamex_np(a, b, RENAME_SWAP) == 0; }
#endif
