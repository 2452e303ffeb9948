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

// rows[i][j] becomes rows[j][i], numbers of 32 bits: blocks of one, two, four and eight change places.
static inline void transpose_words(__m512i rows[16]) {
    const __m512i lane = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
    for (int size = 1; size < 16; size *= 2) {
        // Where a lane's bit is set it comes from the other row, `size` lanes away; 16 tells the second operand.
        __m512i bit = _mm512_set1_epi32(size), other = _mm512_set1_epi32(16);
        __mmask16 is_odd = _mm512_test_epi32_mask(lane, bit);
        __m512i upper = _mm512_mask_add_epi32(lane, is_odd, _mm512_sub_epi32(lane, bit), other);
        __m512i lower = _mm512_mask_mov_epi32(_mm512_add_epi32(lane, bit), is_odd, _mm512_add_epi32(lane, other));
        for (int i = 0; i < 16; i++) {
            if (i & size) { continue; }
            __m512i a = rows[i], b = rows[i + size];
            rows[i] = _mm512_permutex2var_epi32(a, upper, b);
            rows[i + size] = _mm512_permutex2var_epi32(a, lower, b);
        }
    }
}

// Asks for a tile that will be loaded soon: loads of tiles do not wake the processor's own prefetching.
static inline void prefetch_tile(const uint16_t *tile) {
    for (int line = 0; line < TILE_ROWS; line++) { _mm_prefetch((const char *)(tile + 32 * line), _MM_HINT_T0); }
}

// One or two tiles of rows by one or two of columns, over `count` tiles of inputs that follow one another by so many
// numbers; added to the sums in the registers.
static inline __attribute__((always_inline)) void add_tiles(const uint16_t *a, long a_row, long a_step, const uint16_t *b,
                                                            long b_column, long b_step, long count, int na, int nb) {
    for (long i = 0; i < count; i++, a += a_step, b += b_step) {
        prefetch_tile(a + 2 * a_step);
        if (na == 2) { prefetch_tile(a + a_row + 2 * a_step); }
        _tile_loadd(4, a, 64);
        _tile_loadd(6, b, 64);
        _tile_dpbf16ps(0, 4, 6);
        if (nb == 2) {
            _tile_loadd(7, b + b_column, 64);
            _tile_dpbf16ps(1, 4, 7);
        }
        if (na == 2) {
            _tile_loadd(5, a + a_row, 64);
            _tile_dpbf16ps(2, 5, 6);
            if (nb == 2) { _tile_dpbf16ps(3, 5, 7); }
        }
    }
}

static inline void clear_sums(void) {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
}

static inline __attribute__((always_inline)) void load_sums(const float *from, long row_floats, int na, int nb) {
    const size_t stride = (size_t)row_floats * sizeof(float);
    _tile_loadd(0, from, stride);
    if (nb == 2) { _tile_loadd(1, from + 16, stride); }
    if (na == 2) { _tile_loadd(2, from + 16 * row_floats, stride); }
    if (na == 2 && nb == 2) { _tile_loadd(3, from + 16 * row_floats + 16, stride); }
}

static inline __attribute__((always_inline)) void store_sums(float *to, long row_floats, int na, int nb) {
    const size_t stride = (size_t)row_floats * sizeof(float);
    _tile_stored(0, to, stride);
    if (nb == 2) { _tile_stored(1, to + 16, stride); }
    if (na == 2) { _tile_stored(2, to + 16 * row_floats, stride); }
    if (na == 2 && nb == 2) { _tile_stored(3, to + 16 * row_floats + 16, stride); }
}

#endif
