// AMX: tiles of sixteen rows of activations by sixteen rows of weights, thirty-two inputs an instruction, in bf16. Weights
// are expanded to tiles a few rows at a time and used for all rows of a prompt; sums stay in single precision.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,prfchw,avx512f,avx512bw,avx512vl,avx512bf16,fma"))), apply_to = function)
#include "x86_amx.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

// Inputs that are multiplied before sums go back to memory, in tiles: two panels of so many stay in the first-level cache
// beside the rows that pass by, and all of a prompt's rows in the second.
enum { BLOCK_TILES = TK_TILE_BLOCK / TILE_INPUTS };

// Where the tiles of a row tile begin, for the inputs from a block on. Blocks stand one after the other, each with all rows:
// what is read together lies together, and does not crowd into a part of the cache.
static inline long tiles_at(long row_tile, long row_tiles, long block, long blocks) {
    long count = blocks - block < BLOCK_TILES ? blocks - block : BLOCK_TILES;
    return (block * row_tiles + row_tile * count) * TILE_NUMBERS;
}

// Rows first..<end of m to bf16; what is missing to a whole tile of rows is filled up with zeros.
void tk_amx_round_rows(const float *x, long first, long end, long m, long k, uint16_t *tiled) {
    const long tiles = k / TILE_INPUTS, row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
    for (long i = first; i < end || i % TILE_ROWS; i++) {
        for (long block = 0; block < tiles; block += BLOCK_TILES) {
            uint16_t *to = tiled + tiles_at(i / TILE_ROWS, row_tiles, block, tiles) + i % TILE_ROWS * TILE_INPUTS;
            for (long b = block; b < tiles && b < block + BLOCK_TILES; b++, to += TILE_NUMBERS) {
                const float *from = x + i * k + b * TILE_INPUTS;
                _mm512_storeu_si512(to, i < end ? rounded(_mm512_loadu_ps(from), _mm512_loadu_ps(from + 16))
                                                : _mm512_setzero_si512());
            }
        }
    }
}

// Blocks first..<end of a panel to tiles [pairs of inputs][rows]. `first` is a multiple of eight, as heads stand before so
// many blocks.
INLINE void expand_blocks(const tk_packed *weight, const uint8_t *panel, long first, long end, uint16_t *tiles, tk_format f) {
    const __m512i table = panel_table(weight), byte = _mm512_set1_epi32(255), bias = _mm512_set1_epi32(f.bias);
    const long block_bytes = tk_packed_block_bytes(f);
    __m512 d = _mm512_setzero_ps(), m = d;
    panel += first * block_bytes + first / 8 * tk_head_bytes(f);
    for (long b = first; b < end; b++, panel += block_bytes, tiles += TILE_NUMBERS) {
        if (tk_has_head(f) && b % 8 == 0) {
            d = panel_halves(panel);
            if (f.has_offsets) { m = panel_halves(panel + 2 * TK_PANEL_ROWS); }
            panel += tk_head_bytes(f);
        }
        panel_prefetch(panel, block_bytes);
#pragma clang loop unroll(full)  // shifts are constants then
        for (int g = 0; g < 32 / f.group; g++) {
            __m512 scale = panel_scale(panel, g, f, d);
            __m512 offset = f.has_offsets ? panel_offset(panel, g, f, m) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
            for (int quad = g * f.group / 4; quad < (g + 1) * f.group / 4; quad++) {
                __m512i codes = panel_codes(panel, quad, f, table);
                __m512 inputs[4];
                for (int j = 0; j < 4; j++) {
                    __m512i code = _mm512_and_si512(_mm512_srli_epi32(codes, (unsigned)(8 * j)), byte);
                    if (f.bias != 0) { code = _mm512_sub_epi32(code, bias); }
                    inputs[j] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(code), scale, offset);
                }
                _mm512_storeu_si512(tiles + 64 * quad, pairs_of(inputs[0], inputs[1]));
                _mm512_storeu_si512(tiles + 64 * quad + 32, pairs_of(inputs[2], inputs[3]));
            }
        }
    }
}

// The same where weights are in bf16 already, sixteen rows of an input side by side.
static void expand_bf16(const uint8_t *panel, long first, long end, uint16_t *tiles) {
    panel += first * TILE_INPUTS * TK_PANEL_ROWS * 2;
    for (long i = 0; i < (end - first) * TILE_INPUTS; i += 2, panel += 64, tiles += 32) {
        _mm512_storeu_si512(tiles, zipped(_mm512_loadu_si512(panel)));
    }
}

#define CASE(TYPE) case TYPE: expand_blocks(w, panel, first, end, tiles, tk_format_of(TYPE)); break;

static void expand(const tk_packed *w, const uint8_t *panel, long first, long end, uint16_t *tiles) {
    switch (w->type) {
        TK_PACKED_TYPES(CASE)
    default: expand_bf16(panel, first, end, tiles);
    }
}

// Up to two tiles of rows by two panels, over `count` tiles of inputs; the sums are added to what y has, or set. At its edges
// they go through a buffer of whole tiles.
static void tiles_product(const uint16_t *a, long a_stride, const uint16_t *b, long b_stride, long count, float *y,
                          long y_stride, bool adds, long rows, long columns) {
    if (rows == 32 && columns == 32) {
        if (adds) { load_sums(y, y_stride, 2, 2); } else { clear_sums(); }
        add_tiles(a, a_stride, TILE_NUMBERS, b, b_stride, TILE_NUMBERS, count, 2, 2);
        store_sums(y, y_stride, 2, 2);
        return;
    }
    float buffer[32 * 32] __attribute__((aligned(64)));
    const __mmask16 masks[2] = {first_lanes(columns), first_lanes(columns < 16 ? 0 : columns - 16)};
    if (adds) {
        for (long r = 0; r < rows; r++) {
            for (int s = 0; s < 2; s++) {
                _mm512_store_ps(buffer + 32 * r + 16 * s, _mm512_maskz_loadu_ps(masks[s], y + r * y_stride + 16 * s));
            }
        }
        load_sums(buffer, 32, 2, 2);
    } else {
        clear_sums();
    }
    if (rows > 16) {
        add_tiles(a, a_stride, TILE_NUMBERS, b, b_stride, TILE_NUMBERS, count, 2, 2);
    } else {
        add_tiles(a, a_stride, TILE_NUMBERS, b, b_stride, TILE_NUMBERS, count, 1, 2);
    }
    store_sums(buffer, 32, 2, 2);
    for (long r = 0; r < rows; r++) {
        for (int s = 0; s < 2; s++) {
            _mm512_mask_storeu_ps(y + r * y_stride + 16 * s, masks[s], _mm512_load_ps(buffer + 32 * r + 16 * s));
        }
    }
}

// Asks for a share of what will be expanded next, so that memory works while tiles are multiplied.
static void prefetch_share(const uint8_t *from, long bytes, long share, long shares) {
    const uint8_t *end = from + bytes * (share + 1) / shares;
    for (from += bytes * share / shares / 64 * 64; from < end; from += 64) { _mm_prefetch((const char *)from, _MM_HINT_T1); }
}

// Asks for the lines of the next rows' sums, which stand far apart.
static void prefetch_sums(const float *sums, long stride, long rows) {
    for (long r = 0; r < rows; r++) {
        __builtin_prefetch(sums + r * stride, 1);
        __builtin_prefetch(sums + r * stride + 16, 1);
    }
}

void tk_amx_multiply_rounded(const tk_packed *weight, long first, long end, const uint16_t *x, long m, float *y, long y_stride,
                             uint16_t *tiles) {
    configure_tiles();
    const long blocks = weight->columns / TILE_INPUTS, panel_tiles = BLOCK_TILES * TILE_NUMBERS;
    const long row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS;
    for (long block = 0; block < blocks; block += BLOCK_TILES) {
        long block_end = block + BLOCK_TILES < blocks ? block + BLOCK_TILES : blocks, count = block_end - block;
        // Whole heads of 256 inputs, or none at all: what blocks take is in proportion to their number.
        long offset = weight->panel_bytes * block / blocks, bytes = weight->panel_bytes * block_end / blocks - offset;
        for (long p = first; p < end; p += 2) {
            // An odd last panel goes with what the buffer held before; nobody looks at those sums.
            for (long s = 0; s < 2 && p + s < end; s++) {
                expand(weight, weight->panels + (p + s) * weight->panel_bytes, block, block_end, tiles + s * panel_tiles);
            }
            const uint8_t *next = weight->panels + (p + 2) * weight->panel_bytes + offset;
            long columns = weight->rows - p * 16, limit = (end - p) * 16;
            columns = columns < limit ? columns : limit;
            for (long i = 0; i < m; i += 32) {
                if (p + 2 < end) { prefetch_share(next, bytes, i / 32, (m + 31) / 32); }
                if (p + 3 < end) { prefetch_share(next + weight->panel_bytes, bytes, i / 32, (m + 31) / 32); }
                prefetch_sums(y + (i + 32) * y_stride + p * 16, y_stride, m - i - 32 < 32 ? m - i - 32 : 32);
                const uint16_t *rows = x + tiles_at(i / TILE_ROWS, row_tiles, block, blocks);
                float *sums = y + i * y_stride + p * 16;
                tiles_product(rows, count * TILE_NUMBERS, tiles, panel_tiles, count, sums, y_stride, block > 0,
                              m - i < 32 ? m - i : 32, columns < 32 ? columns : 32);
            }
        }
    }
    _tile_release();
}

// Linux hands out the tiles' state only to processes that ask.
static bool is_permitted(void) {
#if defined(__linux__)
    const long request_permission = 0x1023, tile_data = 18;
    return syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
#else
    return false;
#endif
}

bool tk_amx_is_supported(void) {
    return tk_x86_avx512vnni.is_supported() && __builtin_cpu_supports("avx512bf16") && __builtin_cpu_supports("amx-tile") &&
           __builtin_cpu_supports("amx-bf16") && __builtin_cpu_supports("amx-int8") && is_permitted();
}
#pragma clang attribute pop
#endif
