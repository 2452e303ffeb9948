// What the kernels with AMX share. For files that set the target attribute before.
#ifndef TINY_X86_AMX_H
#define TINY_X86_AMX_H

#include "x86_avx512_panel.h"

enum {
    TILE_ROWS = 16,
    TILE_INPUTS = 32,
    TILE_NUMBERS = TILE_ROWS * TILE_INPUTS,
};

// Eight registers of sixteen rows of sixty-four bytes: sums 0…3, left factors 4 and 5, right factors 6 and 7.
static inline void configure_tiles(void) {
    struct { uint8_t palette, start, reserved[14]; uint16_t columns[16]; uint8_t rows[16]; } config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.columns[i] = 64;
        config.rows[i] = TILE_ROWS;
    }
    _tile_loadconfig(&config);
}

// Thirty-two neighbouring inputs of a row in bf16.
static inline __m512i rounded(__m512 first, __m512 second) { return (__m512i)_mm512_cvtne2ps_pbh(second, first); }

// Numbers of one half and of the other in turn.
static inline __m512i zipped(__m512i halves) {
    const __m512i zip = _mm512_set_epi16(31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5,
                                         20, 4, 19, 3, 18, 2, 17, 1, 16, 0);
    return _mm512_permutexvar_epi16(zip, halves);
}

// Two neighbouring inputs of sixteen rows, or of sixteen columns, side by side.
static inline __m512i pairs_of(__m512 even, __m512 odd) { return zipped(rounded(even, odd)); }

static inline void clear_sums(void) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

static inline long padded(long n, long to) { return (n + to - 1) / to * to; }

// The part of a number that bf16 holds, and in the second place what that leaves.
static inline void split(__m512 first, __m512 second, __m512i *high, __m512i *low) {
    *high = rounded(first, second);
    __m512i first_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_castsi512_si256(*high)), 16);
    __m512i second_bits = _mm512_slli_epi32(_mm512_cvtepu16_epi32(_mm512_extracti64x4_epi64(*high, 1)), 16);
    *low = rounded(_mm512_sub_ps(first, _mm512_castsi512_ps(first_bits)),
                   _mm512_sub_ps(second, _mm512_castsi512_ps(second_bits)));
}

// Sixteen numbers of a row of `width`, from the i-th on; zeros behind its end.
static inline __m512 load_row(tk_type type, const void *row, long i, long width) {
    __mmask16 mask = first_lanes(width - i < 0 ? 0 : width - i);
    if (type == TK_F32) { return _mm512_maskz_loadu_ps(mask, (const float *)row + i); }
    return _mm512_cvtph_ps(_mm256_maskz_loadu_epi16(mask, (const uint16_t *)row + i));
}

#endif
