// The cache's keys and values as tiles of bf16, for attention over a prompt.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,avx512f,avx512bw,avx512vl,avx512bf16,avx512vnni,fma"))), apply_to = function)
#include "x86_amx.h"

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

// Keys as right factors: for sixteen tokens all inputs' high parts, then all low parts, a tile [pairs of inputs][tokens] for
// each 32 inputs. Values likewise: for 32 tokens a tile [pairs of tokens][inputs] for each sixteen inputs.
void tk_amx_pack_tokens(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values) {
    const long bytes = width * (type == TK_F32 ? 4 : 2), tiles = padded(width, 32) / 32, columns = padded(width, 16);
    for (long j = first; j < end; j += 16) {
        for (long b = 0; b < tiles; b++) {
            __m512i high[16], low[16];
            for (long r = 0; r < 16; r++) {
                const char *row = (const char *)keys + (j + r) * bytes;
                long seen = j + r < end ? width : 0;
                split(load_row(type, row, 32 * b, seen), load_row(type, row, 32 * b + 16, seen), high + r, low + r);
            }
            transpose_words(high);
            transpose_words(low);
            uint16_t *to = packed_keys + (j / 16 * 2 * tiles + b) * TILE_NUMBERS;
            for (long r = 0; r < 16; r++) {
                _mm512_storeu_si512(to + 32 * r, high[r]);
                _mm512_storeu_si512(to + tiles * TILE_NUMBERS + 32 * r, low[r]);
            }
        }
    }
    for (long j = first; j < padded(end, 32); j += 2) {
        const char *row = (const char *)values + j * bytes;
        for (long c = 0; c < columns; c += 16) {
            __m512 even = load_row(type, row, c, j < end ? width : 0);
            __m512 odd = load_row(type, row + bytes, c, j + 1 < end ? width : 0);
            uint16_t *tile = packed_values + (j / 32 * (columns / 16) + c / 16) * TILE_NUMBERS;
            _mm512_storeu_si512(tile + j % 32 / 2 * 32, pairs_of(even, odd));
        }
    }
}
#pragma clang attribute pop
#endif
