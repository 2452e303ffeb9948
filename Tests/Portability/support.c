#include "support.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

long checks, failures, margin;

uint64_t next_random(generator *random) {
    uint64_t z = random->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

float unit(generator *random) { return (float)((int32_t)(next_random(random) >> 40) - (1 << 23)) * 0x1p-23f; }

void fill_floats(generator *random, float scale, float *values, long count) {
    for (long i = 0; i < count; i++) { values[i] = unit(random) * scale; }
}

// Any bytes are a block, but most of the numbers that a scale may be are far from all others: those are thrown again.
void fill_blocks(generator *random, tk_type type, uint8_t *blocks, long count) {
    const long bytes = tk_block_bytes(type), elements = tk_block_elements(type);
    for (long b = 0; b < count; b++, blocks += bytes) {
        float largest;
        do {
            for (long i = 0; i < bytes; i++) { blocks[i] = (uint8_t)next_random(random); }
            float values[256];
            tk_expand(type, blocks, elements, values);
            largest = 0;
            for (long i = 0; i < elements; i++) {
                largest = fabsf(values[i]) <= largest ? largest : fabsf(values[i]);  // NaN stays
                if (isnan(largest)) { break; }
            }
        } while (!(largest >= 0x1p-4f && largest <= 0x1p4f));
    }
}

void *memory(int place, long bytes, long spare) {
    static uint8_t *ends[PLACES];
    if (!ends[place]) {
        const size_t page = (size_t)sysconf(_SC_PAGESIZE);
        uint8_t *pages = mmap(NULL, PLACE_BYTES + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON, -1, 0);
        if (pages == MAP_FAILED || mprotect(pages + PLACE_BYTES, page, PROT_NONE) != 0) { perror("memory"), exit(2); }
        ends[place] = pages + PLACE_BYTES;
    }
    spare += margin;
    if (bytes + spare > PLACE_BYTES) { fprintf(stderr, "a place has no room for %ld bytes\n", bytes), exit(2); }
    return memset(ends[place] - bytes - spare, 0xA5, (size_t)(bytes + spare));
}

float *floats(int place, long count) { return memory(place, count * (long)sizeof(float), 0); }

double gamma_of(long roundings) { return (double)roundings * 0x1p-24 / (1 - (double)roundings * 0x1p-24); }

double underflow(long count) { return (double)count * 0x1p-150; }

double norm(const float *values, long count) {
    double sum = 0;
    for (long i = 0; i < count; i++) { sum += (double)values[i] * (double)values[i]; }
    return sqrt(sum);
}

const tk_kernels *plain_kernels(void) {
    int last = 0;
    while (tk_kernels_at(last + 1)) { last++; }
    return tk_kernels_at(last);
}

double sum_bound(const tk_kernels *kernels, long count, double sizes, double expected) {
    // Two doubles more for each of the two sums that are compared.
    return kernels == plain_kernels()
               ? gamma_of(1) * fabs(expected) + (double)(2 * count + 4) * 0x1p-53 * sizes + underflow(1)
               : gamma_of(count) * sizes + underflow(count);
}

bool expect(bool holds) {
    checks++;
    failures += !holds;
    return holds;
}

void report(const char *format, ...) {
    if (failures > 20) { return; }
    va_list values;
    va_start(values, format);
    fprintf(stderr, "FAILED: ");
    vfprintf(stderr, format, values);
    fprintf(stderr, "\n");
    va_end(values);
}

long first_difference(const float *a, const float *b, long count) {
    for (long i = 0; i < count; i++) {
        if (memcmp(a + i, b + i, sizeof *a) != 0) { return i; }
    }
    return -1;
}

bool is_untouched(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits == 0xA5A5A5A5;
}
