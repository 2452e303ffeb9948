#include "limits.h"

#include <sanitizer/allocator_interface.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static atomic_long live, peak;
static long limit, before, inputs, accepted, largest;
static double seconds_limit, started, slowest;

static double processor_seconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static void allocated(const volatile void *memory, size_t size) {
    (void)memory;
    long now = atomic_fetch_add_explicit(&live, (long)size, memory_order_relaxed) + (long)size;
    if (now <= atomic_load_explicit(&peak, memory_order_relaxed)) return;
    atomic_store_explicit(&peak, now, memory_order_relaxed);
    if (limit && now - before > limit) {
        fprintf(stderr, "fuzz: one input holds more than %ld MiB of memory\n", limit >> 20);
        abort();
    }
}

static void freed(const volatile void *memory) {
    if (memory) atomic_fetch_sub_explicit(&live, (long)__sanitizer_get_allocated_size((const void *)memory), memory_order_relaxed);
}

static void report(void) {
    fprintf(
        stderr, "fuzz: %ld inputs, %ld without an error; the slowest took %.3f s of processor time, the largest %.1f MiB\n",
        inputs, accepted, slowest, (double)largest / (1 << 20));
}

void limits_start(long megabytes, double seconds) {
    if (!__sanitizer_install_malloc_and_free_hooks(allocated, freed)) {
        fprintf(stderr, "fuzz: memory cannot be counted\n");
        exit(1);
    }
    limit = megabytes << 20;
    seconds_limit = seconds;
    atexit(report);
}

void limits_begin(void) {
    before = atomic_load(&live);
    atomic_store(&peak, before);
    started = processor_seconds();
}

void limits_end(int ended_well) {
    double took = processor_seconds() - started;
    long held = atomic_load(&peak) - before;
    inputs++;
    accepted += ended_well != 0;
    if (took > slowest) slowest = took;
    if (held > largest) largest = held;
    if (took > seconds_limit) {
        fprintf(stderr, "fuzz: one input took %.2f s of processor time; %.2f s are allowed\n", took, seconds_limit);
        abort();
    }
}
