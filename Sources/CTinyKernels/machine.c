// What Swift cannot ask the system itself.
#define _GNU_SOURCE
#include "include/tiny_kernels.h"

#if defined(__linux__)
#include <sched.h>

int tk_affinity_count(void) {
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
}
#else
int tk_affinity_count(void) { return 0; }
#endif
