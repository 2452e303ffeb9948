// The block layouts of GGUF's quantized types, as they stand in the file (little endian).
#ifndef TINY_BLOCKS_H
#define TINY_BLOCKS_H

#include <stdint.h>

typedef uint16_t half_bits;

// Packed: blocks may stand at odd addresses in a file, which C otherwise forbids.
#pragma pack(push, 1)

// Blocks of 32: a scale, sometimes a minimum, fifth bits, then codes. In the 4- and 5-bit types the low nibbles are
// the first 16 elements and the high nibbles the last 16.
typedef struct { half_bits d; int8_t codes[32]; } block_q8_0;
typedef struct { half_bits d; uint8_t nibbles[16]; } block_q4_0;
typedef struct { half_bits d, m; uint8_t nibbles[16]; } block_q4_1;
typedef struct { half_bits d; uint8_t fifth[4]; uint8_t nibbles[16]; } block_q5_0;
typedef struct { half_bits d, m; uint8_t fifth[4]; uint8_t nibbles[16]; } block_q5_1;
typedef struct { half_bits d; uint8_t nibbles[16]; } block_iq4_nl;
typedef struct { uint8_t exponent; uint8_t nibbles[16]; } block_mxfp4;

// Blocks of 256, with scales of their own for each 16 or 32.
typedef struct { uint8_t scales[16]; uint8_t codes[64]; half_bits d, dmin; } block_q2_k;
typedef struct { uint8_t high[32]; uint8_t codes[64]; uint8_t scales[12]; half_bits d; } block_q3_k;
typedef struct { half_bits d, dmin; uint8_t scales[12]; uint8_t nibbles[128]; } block_q4_k;
typedef struct { half_bits d, dmin; uint8_t scales[12]; uint8_t fifth[32]; uint8_t nibbles[128]; } block_q5_k;
typedef struct { uint8_t low[128]; uint8_t high[64]; int8_t scales[16]; half_bits d; } block_q6_k;
typedef struct { half_bits d; uint16_t scales_high; uint8_t scales_low[4]; uint8_t nibbles[128]; } block_iq4_xs;

#pragma pack(pop)

_Static_assert(sizeof(block_q8_0) == 34, "Q8_0");
_Static_assert(sizeof(block_q4_0) == 18, "Q4_0");
_Static_assert(sizeof(block_q4_1) == 20, "Q4_1");
_Static_assert(sizeof(block_q5_0) == 22, "Q5_0");
_Static_assert(sizeof(block_q5_1) == 24, "Q5_1");
_Static_assert(sizeof(block_iq4_nl) == 18, "IQ4_NL");
_Static_assert(sizeof(block_mxfp4) == 17, "MXFP4");
_Static_assert(sizeof(block_q2_k) == 84, "Q2_K");
_Static_assert(sizeof(block_q3_k) == 110, "Q3_K");
_Static_assert(sizeof(block_q4_k) == 144, "Q4_K");
_Static_assert(sizeof(block_q5_k) == 176, "Q5_K");
_Static_assert(sizeof(block_q6_k) == 210, "Q6_K");
_Static_assert(sizeof(block_iq4_xs) == 136, "IQ4_XS");

#endif
