// Weights on their way to tiles: sixteen inputs of a packed panel (packed_format.h) at a time, so that it can be done beside
// the products. For files that set the target attribute before.
#ifndef TINY_X86_AMX_EXPAND_H
#define TINY_X86_AMX_EXPAND_H

#include "x86_amx.h"

// Half of block b of a panel, to its place in a tile [pairs of inputs][rows].
INLINE void expand_codes(const tk_packed *weight, const uint8_t *panel, long b, int half, uint16_t *tile, tk_format f) {
    const __m512i table = panel_table(weight), byte = _mm512_set1_epi32(255), bias = _mm512_set1_epi32(f.bias);
    const long block_bytes = tk_packed_block_bytes(f), head_bytes = tk_head_bytes(f);
    const int group = f.group == 16 ? half : 0;
    const uint8_t *block = panel + b * block_bytes + b / 8 * head_bytes;
    __m512 d = _mm512_setzero_ps(), m = d;
    if (tk_has_head(f)) {
        const uint8_t *head = block - b % 8 * block_bytes;
        d = panel_halves(head);
        if (f.has_offsets) { m = panel_halves(head + 2 * TK_PANEL_ROWS); }
        block += head_bytes;
    }
    panel_prefetch(block + half * (block_bytes / 2), block_bytes / 2);
    const __m512 scale = panel_scale(block, group, f, d);
    const __m512 offset = f.has_offsets ? panel_offset(block, group, f, m) : _mm512_setzero_ps();
#pragma clang loop unroll(full)  // shifts are constants then
    for (int quad = 4 * half; quad < 4 * half + 4; quad++) {
        __m512i codes = panel_codes(block, quad, f, table);
        __m512 inputs[4];
#pragma clang loop unroll(full)
        for (int j = 0; j < 4; j++) {
            __m512i code = _mm512_and_si512(_mm512_srli_epi32(codes, (unsigned)(8 * j)), byte);
            if (f.bias != 0) { code = _mm512_sub_epi32(code, bias); }
            inputs[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(code), scale, offset);
        }
        _mm512_storeu_si512(tile + 64 * quad, pairs_of(inputs[0], inputs[1]));
        _mm512_storeu_si512(tile + 64 * quad + 32, pairs_of(inputs[2], inputs[3]));
    }
}

// The same where weights are in bf16 already, sixteen rows of an input side by side.
INLINE void expand_bf16(const uint8_t *panel, long b, int half, uint16_t *tile) {
    panel += (b * TILE_INPUTS + 16 * half) * TK_PANEL_ROWS * 2;
    tile += TILE_NUMBERS / 2 * half;
    for (long i = 0; i < 8; i++) {
        _mm_prefetch((const char *)panel + 64 * i + 3072, _MM_HINT_T0);
        _mm512_storeu_si512(tile + 32 * i, zipped(_mm512_loadu_si512(panel + 64 * i)));
    }
}

// Either; `type` is a constant where this is expanded.
INLINE void expand_half(const tk_packed *weight, const uint8_t *panel, long b, long half, uint16_t *tile, tk_type type) {
    if (type == TK_BF16) {
        expand_bf16(panel, b, (int)half, tile);
    } else if (half == 0) {
        expand_codes(weight, panel, b, 0, tile, tk_format_of(type));
    } else {
        expand_codes(weight, panel, b, 1, tile, tk_format_of(type));
    }
}

#endif
