// How AVX-512 reads a packed panel (pack.c): a lane is a row. For files that set the target attribute before.
#ifndef TINY_X86_AVX512_PANEL_H
#define TINY_X86_AVX512_PANEL_H

#include "kernels.h"

#include <immintrin.h>

static inline __mmask16 first_lanes(long n) { return n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xFFFF; }

// The codes of inputs 4 · quad … 4 · quad + 3 of a block, unsigned, a row in each 32 bits.
static inline __attribute__((always_inline)) __m512i panel_codes(const uint8_t *block, int quad, int bits, bool has_table,
                                                                 __m512i table) {
    if (bits == 8) { return _mm512_loadu_si512(block + 64 * quad); }
    __m512i w = _mm512_loadu_si512(block + 64 * (quad % 4));
    w = _mm512_and_si512(quad < 4 ? w : _mm512_srli_epi16(w, 4), _mm512_set1_epi8(15));
    return has_table ? _mm512_shuffle_epi8(table, w) : w;
}

static inline __m512i panel_table(const tk_packed *weight) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)weight->table));
}

// A scale or an offset of sixteen rows.
static inline __m512 panel_scales(const uint8_t *from, bool has_halves) {
    return has_halves ? _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from)) : _mm512_loadu_ps(from);
}

#endif
