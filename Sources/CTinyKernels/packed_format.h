// How each quantized type is packed: what pack.c writes and the kernels of every instruction set read.
//
// A panel is sixteen rows interleaved, so that a lane is a row. For each 32 inputs it holds
//     the low bits of the codes | the high bits | scales | offsets
// and K types have before each 256 inputs, in halves, what the small integers that follow are multiplied by. A plane of
// `bits` bits a code has `bits` lines of 64 bytes; four neighbouring inputs of a row, a quad, are the four bytes of a lane.
// Quad q stands in line q % bits, bits · (q / bits) up. So weights take about what they take in the file.
#ifndef TINY_PACKED_FORMAT_H
#define TINY_PACKED_FORMAT_H

#include "include/tiny_kernels.h"

// How scales and offsets are written.
typedef enum {
    TK_SCALE_HALF,      // as halves
    TK_SCALE_INTEGER,   // in 8 bits each: scale = d · s, signed, and offset = m · o
    TK_SCALE_NIBBLES,   // the same in 4 bits each, s the low ones
    TK_SCALE_EXPONENT,  // 2^(e − 128)
} tk_scale_kind;

typedef struct {
    int low_bits, high_bits;  // of a code; their sum is its width
    int bias;                 // what is stored is code + bias
    bool has_table;           // … or an index to a table of code + bias
    tk_scale_kind scales;
    bool has_offsets;
    int group;                // inputs that share a scale: 16 or 32
} tk_format;

// Called with a constant this is one too: a loop that is expanded for a type has that type's code only.
static inline tk_format tk_format_of(tk_type type) {
    static const tk_format formats[TK_TYPE_COUNT] = {
        [TK_Q8_0] = {8, 0, 128, false, TK_SCALE_HALF, false, 32},
        [TK_Q4_0] = {4, 0, 8, false, TK_SCALE_HALF, false, 32},
        [TK_Q4_1] = {4, 0, 0, false, TK_SCALE_HALF, true, 32},
        [TK_Q5_0] = {4, 1, 16, false, TK_SCALE_HALF, false, 32},
        [TK_Q5_1] = {4, 1, 0, false, TK_SCALE_HALF, true, 32},
        [TK_Q2_K] = {2, 0, 0, false, TK_SCALE_NIBBLES, true, 16},
        [TK_Q3_K] = {2, 1, 4, false, TK_SCALE_INTEGER, false, 16},
        [TK_Q4_K] = {4, 0, 0, false, TK_SCALE_INTEGER, true, 32},
        [TK_Q5_K] = {4, 1, 0, false, TK_SCALE_INTEGER, true, 32},
        [TK_Q6_K] = {4, 2, 32, false, TK_SCALE_INTEGER, false, 16},
        [TK_IQ4_NL] = {4, 0, 128, true, TK_SCALE_HALF, false, 32},
        [TK_IQ4_XS] = {4, 0, 128, true, TK_SCALE_INTEGER, false, 32},
        [TK_MXFP4] = {4, 0, 128, true, TK_SCALE_EXPONENT, false, 32},
    };
    return formats[type];
}

// Whether sixteen bits hold what eight pairs of codes come to with factors of eight bits.
static inline bool tk_is_narrow(tk_format f) { return f.low_bits + f.high_bits <= 4 && !f.has_table; }

// CASE for each type that is packed.
#define TK_PACKED_TYPES(CASE)                                                                                          \
    CASE(TK_Q8_0) CASE(TK_Q4_0) CASE(TK_Q4_1) CASE(TK_Q5_0) CASE(TK_Q5_1) CASE(TK_Q2_K) CASE(TK_Q3_K) CASE(TK_Q4_K)    \
    CASE(TK_Q5_K) CASE(TK_Q6_K) CASE(TK_IQ4_NL) CASE(TK_IQ4_XS) CASE(TK_MXFP4)

// Whether 256 inputs have a head of d, and of m where there are offsets.
static inline bool tk_has_head(tk_format f) { return f.scales == TK_SCALE_INTEGER || f.scales == TK_SCALE_NIBBLES; }
static inline long tk_head_bytes(tk_format f) { return tk_has_head(f) ? 2 * TK_PANEL_ROWS * (f.has_offsets ? 2 : 1) : 0; }

// Where in a block of 32 inputs the parts begin.
static inline long tk_plane_bytes(int bits) { return 4 * TK_PANEL_ROWS * bits; }
static inline long tk_scale_bytes(tk_format f) { return TK_PANEL_ROWS * (f.scales == TK_SCALE_HALF ? 2 : 1); }
static inline long tk_scales_at(tk_format f) { return tk_plane_bytes(f.low_bits + f.high_bits); }
static inline long tk_offsets_at(tk_format f) { return tk_scales_at(f) + tk_scale_bytes(f) * (32 / f.group); }
static inline long tk_packed_block_bytes(tk_format f) {
    bool apart = f.has_offsets && f.scales != TK_SCALE_NIBBLES;
    return tk_offsets_at(f) + (apart ? tk_scale_bytes(f) * (32 / f.group) : 0);
}

// Up to 256 elements of a row, unpacked as far as packing wants them: numbers that have yet to be multiplied.
typedef struct {
    uint8_t codes[256];     // code + bias, or an index to the table
    uint8_t scales[16];     // of each group, but for halves: s or e; with nibbles o as well
    uint8_t offsets[16];    // o
    uint16_t d[8], m[8];    // halves: scale and offset of each group, or what integers are multiplied by
} tk_parts;

// Into codes, and what makes scales and offsets; count is at most 256 (unpack.c).
void tk_unpack_parts(tk_type type, const void *blocks, long count, tk_parts *parts);

#endif
