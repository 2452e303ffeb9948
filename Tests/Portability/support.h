// What the tests of kernels share: numbers that are the same on every machine, memory that ends where it seems to, and
// checks that count. In C, so that they run wherever a cross compiler and an emulator go; Swift does not.
#ifndef PORTABILITY_SUPPORT_H
#define PORTABILITY_SUPPORT_H

#include "tiny_kernels.h"

// --- Random numbers: Steele et al. 2014, doi 10.1145/2660193.2660195 ---

typedef struct { uint64_t state; } generator;

uint64_t next_random(generator *random);
// In −1..<1, in steps of 2⁻²³.
float unit(generator *random);
void fill_floats(generator *random, float scale, float *values, long count);
// Blocks of a type whose weights are ordinary numbers: none is infinite, and no block outweighs the others by far.
void fill_blocks(generator *random, tk_type type, uint8_t *blocks, long count);

// --- Memory ---

// So many places that blocks of memory can have at the same time.
enum { PLACES = 16, PLACE_BYTES = 1 << 21 };

// Memory that ends `spare` bytes before a page that must not be touched: reading or writing past it ends the process,
// and the address is as the size makes it. What the place held before is lost; every byte is set to 0xA5, which as a
// float is a number that no test computes.
void *memory(int place, long bytes, long spare);
// More spare bytes everywhere, for an emulator whose masked loads touch what is masked out.
extern long margin;
float *floats(int place, long count);

// --- Matrices (packed.c) ---

enum { LONGEST = 2304, MOST_ROWS = 50 };

// A packed matrix, and the same weights as doubles; sizes are |scale · code| + |offset|, what roundings are relative to.
typedef struct {
    tk_packed packed;
    double weights[MOST_ROWS * LONGEST], sizes[MOST_ROWS * LONGEST];
} matrix;

// Its panels take place 0.
void make_matrix(matrix *matrix, tk_type type, long rows, long columns, uint64_t seed);

// --- Bounds ---

// Plain C, the last of the tables: what every machine can run.
const tk_kernels *plain_kernels(void);

// n · u / (1 − n · u): what n roundings add up to, relative to the sum of sizes. Higham 2002, section 3.1
double gamma_of(long roundings);
// A product below the normal numbers is off by half the smallest step.
double underflow(long count);
double norm(const float *values, long count);
// How far a sum of `count` products may be from its true value. Plain C is held to more: sums in double, rounded once.
double sum_bound(const tk_kernels *kernels, long count, double sizes, double expected);

// --- Checks ---

// Prints what does not hold, the first few of them, and counts.
#define EXPECT(HOLDS, ...) ((void)(expect(HOLDS) || (report(__VA_ARGS__), 0)))
bool expect(bool holds);
__attribute__((format(printf, 1, 2))) void report(const char *format, ...);
// Within a bound. NaN is close to nothing.
static inline bool is_close(float actual, double expected, double bound) {
    double error = (double)actual - expected;
    return error <= bound && -error <= bound;
}
// Where two arrays first differ in their bits, or −1.
long first_difference(const float *a, const float *b, long count);
// Whether memory() set these and nobody since.
bool is_untouched(float value);

extern long checks, failures;

// --- Tests ---

void test_floats(const tk_kernels *kernels);
void test_packed(const tk_kernels *kernels);
void test_elementwise(const tk_kernels *kernels);
void test_attention(const tk_kernels *kernels);
// For tables that multiply in tiles.
void test_tiles(const tk_kernels *kernels);
// A number that stands for all that unpacking, packing and plain rounding give, which must not depend on the machine.
uint64_t formats_fingerprint(void);

#endif
