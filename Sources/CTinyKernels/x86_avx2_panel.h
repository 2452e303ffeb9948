// How AVX2 reads half a packed panel, eight rows: as x86_avx512_panel.h.
#ifndef TINY_X86_AVX2_PANEL_H
#define TINY_X86_AVX2_PANEL_H

#include "kernels.h"
#include "packed_format.h"

#include <immintrin.h>

// The first n of eight lanes.
static inline __m256i first_lanes(long n) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int)n), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

// Asks for what will be read some blocks later; past the end of the weights it asks for nothing that matters.
INLINE void panel_prefetch(const uint8_t *block, long bytes) {
    for (long line = 0; line < bytes; line += 64) { _mm_prefetch((const char *)block + line + 3072, _MM_HINT_T0); }
}

// What a plane has for a quad of half a panel, moved so that it begins at bit `at` of each byte; others are left over.
INLINE __m256i plane_quad(const uint8_t *plane, int half, int quad, int bits, int at) {
    const int from = bits * (quad / bits);
    __m256i w = _mm256_loadu_si256((const __m256i *)(plane + 64 * (quad % bits) + 32 * half));
    return from < at ? _mm256_slli_epi16(w, at - from) : from > at ? _mm256_srli_epi16(w, from - at) : w;
}

// Four neighbouring codes of eight rows. Those of eight bits, stored or looked up, as signed numbers without the bias.
INLINE __m256i panel_codes(const uint8_t *block, int half, int quad, tk_format f, __m256i table) {
    __m256i w = plane_quad(block, half, quad, f.low_bits, 0);
    if (f.low_bits == 8) { return _mm256_xor_si256(w, _mm256_set1_epi8((char)0x80)); }
    w = _mm256_and_si256(w, _mm256_set1_epi8((char)((1 << f.low_bits) - 1)));
    if (f.high_bits > 0) {
        __m256i high = plane_quad(block + tk_plane_bytes(f.low_bits), half, quad, f.high_bits, f.low_bits);
        __m256i mask = _mm256_set1_epi8((char)(((1 << f.high_bits) - 1) << f.low_bits));
        w = _mm256_or_si256(w, _mm256_and_si256(high, mask));
    }
    return f.has_table ? _mm256_shuffle_epi8(table, w) : w;
}

// Whether they are such numbers.
INLINE bool panel_is_signed(tk_format f) { return f.low_bits == 8 || f.has_table; }

// The codes that are looked up, signed as well.
INLINE __m256i panel_table(const tk_packed *weight) {
    return _mm256_xor_si256(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)weight->table)),
                            _mm256_set1_epi8((char)0x80));
}

INLINE __m256 panel_halves(const uint8_t *from) { return _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)from)); }

// 2^(e − 128), the two smallest subnormal.
INLINE __m256 panel_powers(__m256i e) {
    __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
    __m256i small = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
    __m256i is_small = _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e);
    return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, small, is_small));
}

// The scale of a block's group-th inputs, and the offset.
INLINE __m256 panel_scale(const uint8_t *head, const uint8_t *block, int half, int group, tk_format f) {
    const uint8_t *from = block + tk_scales_at(f) + group * tk_scale_bytes(f) + half * tk_scale_bytes(f) / 2;
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from); }
    __m128i bytes = _mm_loadl_epi64((const __m128i *)from);
    if (f.scales == TK_SCALE_EXPONENT) { return panel_powers(_mm256_cvtepu8_epi32(bytes)); }
    if (f.scales == TK_SCALE_NIBBLES) { bytes = _mm_and_si128(bytes, _mm_set1_epi8(15)); }
    return _mm256_mul_ps(panel_halves(head + 16 * half), _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(bytes)));
}

INLINE __m256 panel_offset(const uint8_t *head, const uint8_t *block, int half, int group, tk_format f) {
    const bool is_shared = f.scales == TK_SCALE_NIBBLES;
    const uint8_t *from = block + (is_shared ? tk_scales_at(f) : tk_offsets_at(f)) + group * tk_scale_bytes(f) +
                          half * tk_scale_bytes(f) / 2;
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from); }
    __m256i bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)from));
    if (is_shared) { bytes = _mm256_srli_epi32(bytes, 4); }
    return _mm256_mul_ps(panel_halves(head + 2 * TK_PANEL_ROWS + 16 * half), _mm256_cvtepi32_ps(bytes));
}

#endif
