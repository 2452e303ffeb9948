// How AVX-512 reads a packed panel (packed_format.h): a lane is a row. For files that set the target attribute before;
// the format must be a constant where these are expanded.
#ifndef TINY_X86_AVX512_PANEL_H
#define TINY_X86_AVX512_PANEL_H

#include "kernels.h"
#include "packed_format.h"

#include <immintrin.h>

INLINE __mmask16 first_lanes(long n) { return n < 16 ? (__mmask16)((1u << n) - 1) : (__mmask16)0xFFFF; }

// Asks for what will be read some blocks later; past the end of the weights it asks for nothing that matters.
INLINE void panel_prefetch(const uint8_t *block, long bytes) {
    for (long line = 0; line < bytes; line += 64) { _mm_prefetch((const char *)block + line + 3072, _MM_HINT_T0); }
}

// What is in a plane for a quad, moved so that it begins at bit `at` of each byte; other bits are left over.
INLINE __m512i plane_quad(const uint8_t *plane, int quad, int bits, int at) {
    const int from = bits * (quad / bits);
    __m512i w = _mm512_loadu_si512(plane + 64 * (quad % bits));
    return from < at   ? _mm512_slli_epi16(w, (unsigned)(at - from))
           : from > at ? _mm512_srli_epi16(w, (unsigned)(from - at))
                       : w;
}

// The codes of inputs 4 · quad … 4 · quad + 3 of a block, unsigned, a row in each 32 bits.
INLINE __m512i panel_codes(const uint8_t *block, int quad, tk_format f, __m512i table) {
    __m512i w = plane_quad(block, quad, f.low_bits, 0);
    if (f.low_bits < 8) { w = _mm512_and_si512(w, _mm512_set1_epi8((char)((1 << f.low_bits) - 1))); }
    if (f.high_bits > 0) {
        __m512i high = plane_quad(block + tk_plane_bytes(f.low_bits), quad, f.high_bits, f.low_bits);
        __m512i mask = _mm512_set1_epi8((char)(((1 << f.high_bits) - 1) << f.low_bits));
        w = _mm512_ternarylogic_epi32(w, high, mask, 0xF8);  // w | (high & mask)
    }
    return f.has_table ? _mm512_shuffle_epi8(table, w) : w;
}

INLINE __m512i panel_table(const tk_packed *weight) {
    return _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)weight->table));
}

INLINE __m512 panel_halves(const uint8_t *from) { return _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)from)); }

// 2^(e − 128), the two smallest subnormal.
INLINE __m512 panel_powers(__m512i e) {
    __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
    __mmask16 is_small = _mm512_cmplt_epi32_mask(e, _mm512_set1_epi32(2));
    return _mm512_castsi512_ps(_mm512_mask_sllv_epi32(normal, is_small, _mm512_set1_epi32(0x00200000), e));
}

// The scale of a block's group-th inputs; d is what the head has (panel_halves of its first half).
INLINE __m512 panel_scale(const uint8_t *block, int group, tk_format f, __m512 d) {
    const uint8_t *from = block + tk_scales_at(f) + group * tk_scale_bytes(f);
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from); }
    __m128i bytes = _mm_loadu_si128((const __m128i *)from);
    if (f.scales == TK_SCALE_EXPONENT) { return panel_powers(_mm512_cvtepu8_epi32(bytes)); }
    if (f.scales == TK_SCALE_NIBBLES) { bytes = _mm_and_si128(bytes, _mm_set1_epi8(15)); }
    return _mm512_mul_ps(d, _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes)));
}

// The offset, for formats that have one; m is the second half of the head.
INLINE __m512 panel_offset(const uint8_t *block, int group, tk_format f, __m512 m) {
    const bool is_shared = f.scales == TK_SCALE_NIBBLES;
    const uint8_t *from = block + (is_shared ? tk_scales_at(f) : tk_offsets_at(f)) + group * tk_scale_bytes(f);
    if (f.scales == TK_SCALE_HALF) { return panel_halves(from); }
    __m512i bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)from));
    if (is_shared) { bytes = _mm512_srli_epi32(bytes, 4); }
    return _mm512_mul_ps(m, _mm512_cvtepi32_ps(bytes));
}

#endif
