// What Swift cannot ask the system itself.
#define _GNU_SOURCE
#include "include/tiny_kernels.h"

#include <time.h>

uint64_t tk_nanoseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

#if defined(__linux__)
#include <sched.h>

int tk_affinity_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}
#else
int tk_affinity_count(void) { return 0; }
#endif
