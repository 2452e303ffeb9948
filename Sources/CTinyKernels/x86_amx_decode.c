// AMX for a few rows: sequences that are decoded together, or tokens that were guessed. Tiles make the integer products of
// up to eight rows in hardly more time than weights take from memory. These are exact, and floats follow as in
// x86_avx512vnni.c, in the same order: a row's result is the same, bit by bit, alone and in company.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-int8,avx512f,avx512bw,avx512vl,fma"))), apply_to = function)
#include "x86_avx512_panel.h"

enum {
    FEWEST_ROWS = 2,     // two one by one take as long where weights are in the cache, a tenth longer where they are not
    MOST_ROWS = 16,      // at a time
    LEFT_ROWS = 16,      // of a left tile, and of sums
    CHUNK_BLOCKS = 64,   // of 32 inputs, whose activations are packed at a time
    // Units between a unit's codes being written, multiplied, and its products being read: what was just stored is slow to
    // load. A unit is in work for less than IN_WORK.
    TO_MULTIPLY = 1, TO_FINISH = 2, IN_WORK = 4,
};

// How activations are laid out in left tiles. It takes as long to store a tile's sums as to multiply it, however many of its
// rows are used, so all sixteen are: high and low codes of eight rows, or of four rows for two groups of inputs. Groups
// stand side by side in rows of their own, with zeros beside them, as their sums must not mix.
typedef struct {
    int rows, row_tiles;      // of activations in a tile, and tiles for all of them
    int groups, group_tiles;  // in a tile, and tiles of a unit
    int blocks;               // of a unit: one, or as many as the groups of a tile fill
    int width;                // inputs of a tile
} decode_plan;

static inline decode_plan plan_for(int rows, int group) {
    decode_plan plan = {.rows = rows < 8 ? rows : 8};
    plan.row_tiles = rows / plan.rows;
    plan.groups = 8 / plan.rows;
    plan.width = plan.groups * group;
    plan.blocks = plan.width > 32 ? plan.width / 32 : 1;
    plan.group_tiles = plan.blocks * 32 / plan.width;
    return plan;
}

// Where a row's high codes of a group stand in their tile; the low ones stand plan.rows further down.
static inline int left_row(decode_plan plan, int group, int row) {
    return 2 * plan.rows * (group % plan.groups) + row % plan.rows;
}

// On the stack, 100 KB for any number of inputs.
typedef struct {
    _Alignas(64) int8_t left[CHUNK_BLOCKS * 2 * MOST_ROWS * 32];  // tiles [units][groups][rows]
    float factors[CHUNK_BLOCKS][MOST_ROWS];                       // scales of activations
    float totals[2 * CHUNK_BLOCKS][MOST_ROWS];                    // sums of groups: what offsets are multiplied by
    _Alignas(64) int8_t codes[IN_WORK * 2][8 * 64];               // of weights less the bias, blocks of eight quads
    _Alignas(64) int32_t products[IN_WORK * 4][LEFT_ROWS][TK_PANEL_ROWS];
} decode_scratch;

// Sums 0 and 1, left factors 4 and 5, right factors 6 and 7.
static void configure_decode_tiles(int width) {
    struct { uint8_t palette, start, reserved[14]; uint16_t columns[16]; uint8_t rows[16]; } config = {.palette = 1};
    for (int i = 0; i < 8; i++) {
        config.columns[i] = i == 4 || i == 5 ? (uint16_t)width : 64;
        config.rows[i] = i >= 6 ? (uint8_t)(width / 4) : LEFT_ROWS;
    }
    _tile_loadconfig(&config);
}

// Blocks first..<end of rows i..<i + m. What is missing to whole tiles is zero.
INLINE void pack_left(const tk_quantized *x, long i, long m, long k, long first, long end, decode_plan plan, int group,
                      decode_scratch *to) {
    const long groups = 32 / group, tile = LEFT_ROWS * plan.width;
    const long units = (end - first + plan.blocks - 1) / plan.blocks;
    memset(to->left, 0, (size_t)(units * plan.group_tiles * plan.row_tiles * tile));
    for (long r = 0; r < m; r++) {
        for (long n = 0; n < (end - first) * groups; n++) {
            const long from = (i + r) * k + 32 * first + n * group;
            int8_t *at = to->left + (n / plan.groups * plan.row_tiles + r / plan.rows) * tile +
                         left_row(plan, (int)n, (int)r) * plan.width + n % plan.groups * group;
            memcpy(at, x->high + from, (size_t)group);
            memcpy(at + plan.rows * plan.width, x->low + from, (size_t)group);
            const int32_t *sums = x->sums + from / TK_GROUP;
            const float factor = x->scales[from / 32];
            to->factors[n / groups][r] = factor;
            to->totals[n][r] = factor * (float)(group == 32 ? sums[0] + sums[1] : sums[0]);
        }
    }
}

INLINE void expand_codes(const uint8_t *block, int8_t *codes, tk_format f, __m512i table) {
    const __m512i bias = _mm512_set1_epi8((char)f.bias);
#pragma clang loop unroll(full)  // shifts are constants then
    for (int quad = 0; quad < 8; quad++) {
        __m512i w = panel_codes(block, quad, f, table);
        _mm512_store_si512(codes + 64 * quad, f.bias != 0 ? _mm512_sub_epi8(w, bias) : w);
    }
}

// Multiplies a tile and stores the one before, with registers in turns, so that loads need not pass a store whose sums are
// not there yet: a sixth less time for eight rows.
INLINE void multiply_tile(bool is_odd, const int8_t *left, const int8_t *right, int width, void *before) {
    if (is_odd) {
        _tile_loadd(7, right, 64);
        _tile_loadd(5, left, (size_t)width);
        _tile_zero(1);
        _tile_dpbssd(1, 5, 7);
        _tile_stored(0, before, 64);
    } else {
        _tile_loadd(6, right, 64);
        _tile_loadd(4, left, (size_t)width);
        _tile_zero(0);
        _tile_dpbssd(0, 4, 6);
        _tile_stored(1, before, 64);
    }
}

// The j-th block of a unit, from its products to the sums of up to sixteen rows. The order is that of x86_avx512vnni.c.
INLINE void finish_block(const uint8_t *block, tk_format f, __m512 d, __m512 m, decode_plan plan, int j, int rows,
                         int32_t (*products)[LEFT_ROWS][TK_PANEL_ROWS], const float *factors,
                         float (*totals)[MOST_ROWS], __m512 *sum) {
#pragma clang loop unroll(full)
    for (int g = 0; g < 32 / f.group; g++) {
        const int n = j * 32 / f.group + g;
        __m512 scale = panel_scale(block, g, f, d);
        __m512 offset = f.has_offsets ? panel_offset(block, g, f, m) : _mm512_setzero_ps();
#pragma clang loop unroll(full)
        for (int r = 0; r < rows; r++) {
            int32_t(*at)[TK_PANEL_ROWS] = products[n / plan.groups * plan.row_tiles + r / plan.rows] + left_row(plan, n, r);
            __m512i high = _mm512_load_si512(at[0]), low = _mm512_load_si512(at[plan.rows]);
            __m512i product = _mm512_add_epi32(_mm512_slli_epi32(high, 7), low);
            __m512 scaled = _mm512_mul_ps(scale, _mm512_set1_ps(factors[r]));
            sum[r] = _mm512_fmadd_ps(_mm512_cvtepi32_ps(product), scaled, sum[r]);
            if (f.has_offsets) { sum[r] = _mm512_fmadd_ps(offset, _mm512_set1_ps(totals[g][r]), sum[r]); }
        }
    }
}

INLINE const uint8_t *block_at(const uint8_t *panel, long b, tk_format f) {
    return panel + b * tk_packed_block_bytes(f) + (b / 8 + 1) * tk_head_bytes(f);
}

// Blocks first..<end of one panel by the rows that are packed, added to their sums; `first` is a multiple of eight.
INLINE void panel_product(const tk_packed *weight, const uint8_t *panel, long first, long end, int rows, tk_format f,
                          decode_scratch *at, __m512 *sum) {
    const decode_plan plan = plan_for(rows, f.group);
    const int tiles = plan.group_tiles * plan.row_tiles;
    const long units = (end - first + plan.blocks - 1) / plan.blocks;
    const __m512i table = panel_table(weight);
    __m512 d = _mm512_setzero_ps(), m = d;
    const int8_t *left = at->left;
    void *before = at->products[0];  // of the first tile there is none before; what its register holds is overwritten
    for (long u = 0; u < units + TO_MULTIPLY + TO_FINISH; u++) {
        for (long j = 0; j < plan.blocks && first + u * plan.blocks + j < end; j++) {
            const uint8_t *block = block_at(panel, first + u * plan.blocks + j, f);
            panel_prefetch(block, tk_packed_block_bytes(f));
            expand_codes(block, at->codes[u % IN_WORK * plan.blocks + j], f, table);
        }
        const long v = u - TO_MULTIPLY;
        if (v >= 0 && v < units) {
            for (int t = 0; t < tiles; t++, left += LEFT_ROWS * plan.width) {
                const int8_t *right = at->codes[v % IN_WORK * plan.blocks] + 16 * plan.width * (t / plan.row_tiles);
                multiply_tile((v * tiles + t) % 2, left, right, plan.width, before);
                before = at->products[v % IN_WORK * tiles + t];
            }
        } else if (v == units) {
            if (units * tiles % 2) { _tile_stored(0, before, 64); } else { _tile_stored(1, before, 64); }
        }
        const long w = v - TO_FINISH;
#pragma clang loop unroll(full)
        for (int j = 0; j < plan.blocks; j++) {
            const long b = w * plan.blocks + j;
            if (b < 0 || first + b >= end) { break; }
            const uint8_t *block = block_at(panel, first + b, f), *head = block - tk_head_bytes(f);
            if (tk_has_head(f) && b % 8 == 0) {
                d = panel_halves(head);
                if (f.has_offsets) { m = panel_halves(head + 2 * TK_PANEL_ROWS); }
            }
            finish_block(block, f, d, m, plan, j, rows, at->products + w % IN_WORK * tiles, at->factors[b],
                         at->totals + b * 32 / f.group, sum);
        }
    }
}

// Rows i..<i + m, where m is at most `rows`. Sums rest in y from one chunk of inputs to the next.
INLINE void rows_product(const tk_packed *weight, long first, long end, const tk_quantized *x, long i, long m, float *y,
                         long y_stride, int rows, tk_format f, decode_scratch *scratch) {
    const long k = weight->columns, blocks = k / 32;
    const decode_plan plan = plan_for(rows, f.group);
    configure_decode_tiles(plan.width);
    for (long b = 0; b < blocks; b += CHUNK_BLOCKS) {
        const long b_end = b + CHUNK_BLOCKS < blocks ? b + CHUNK_BLOCKS : blocks;
        pack_left(x, i, m, k, b, b_end, plan, f.group, scratch);
        for (long p = first; p < end; p++) {
            const __mmask16 mask = first_lanes(weight->rows - p * TK_PANEL_ROWS);
            float *to = y + i * y_stride + p * TK_PANEL_ROWS;
            __m512 sum[MOST_ROWS];
            for (int r = 0; r < rows; r++) {
                sum[r] = b > 0 && r < m ? _mm512_maskz_loadu_ps(mask, to + r * y_stride) : _mm512_setzero_ps();
            }
            panel_product(weight, weight->panels + p * weight->panel_bytes, b, b_end, rows, f, scratch, sum);
            for (int r = 0; r < rows; r++) {
                if (r < m) { _mm512_mask_storeu_ps(to + r * y_stride, mask, sum[r]); }
            }
        }
    }
}

INLINE void panels_product(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                           long y_stride, tk_format f) {
    decode_scratch scratch;
    // What rows that are not there would be multiplied by: anything but what makes slow numbers.
    memset(scratch.factors, 0, sizeof scratch.factors);
    memset(scratch.totals, 0, sizeof scratch.totals);
    for (long i = 0; i < m; i += MOST_ROWS) {
        const long rows = m - i < MOST_ROWS ? m - i : MOST_ROWS;
        if (rows > 8) {
            rows_product(weight, first, end, x, i, rows, y, y_stride, 16, f, &scratch);
        } else if (rows > 4) {
            rows_product(weight, first, end, x, i, rows, y, y_stride, 8, f, &scratch);
        } else {
            rows_product(weight, first, end, x, i, rows, y, y_stride, 4, f, &scratch);
        }
    }
    _tile_release();
}

#define CASE(TYPE) case TYPE: panels_product(w, first, end, x, m, y, y_stride, tk_format_of(TYPE)); break;

void tk_amx_multiply_packed(const tk_packed *w, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride) {
    if (m < FEWEST_ROWS) {
        tk_x86_avx512vnni.kernels.multiply_packed(w, first, end, x, m, y, y_stride);
        return;
    }
    switch (w->type) {
        TK_PACKED_TYPES(CASE)
    default: __builtin_trap();  // a type that is not quantized, or one that the list leaves out
    }
}
#pragma clang attribute pop
#endif
