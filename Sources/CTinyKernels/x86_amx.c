// AMX: tiles of sixteen rows of activations by sixteen rows of weights, thirty-two inputs an instruction, in bf16. Weights
// are expanded to tiles two panels at a time and used for all rows of a prompt; sums stay in single precision.
#if defined(__x86_64__)
#pragma clang attribute push(                                                                                          \
    __attribute__((target("amx-tile,amx-bf16,prfchw,avx512f,avx512bw,avx512vl,avx512bf16,fma"))), apply_to = function)
#include "x86_amx_expand.h"

#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

enum {
    // Inputs that are multiplied before sums go back to memory, in tiles: two panels of so many stay in the second-level
    // cache, beside as much of a prompt's rows.
    BLOCK_TILES = TK_TILE_BLOCK / TILE_INPUTS,
    ROWS_AT_ONCE = 2 * TILE_ROWS,
    // Rows that are put where they belong at a time.
    ROWS_OUT = 4,
};

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

// Pairs of tiles of columns, by all rows: two panels that follow one another, or a panel of each of two matrices.
typedef struct {
    const tk_packed *weights[2];  // of the left and of the right columns
    long first, end;              // panels
    const uint16_t *x;
    long m, row_tiles;
    float *y;          // where sums go to …
    long y_stride;
    uint16_t *hidden;  // … or, if not NULL, what the gate makes of them
    tk_activation function;
} product;

// What is multiplied in one go: a pair of panels over a block of inputs.
typedef struct {
    const uint8_t *panels[2];
    long pair, block, count;  // tiles of inputs from `block` on; none behind the last
} pass;

static pass pass_at(const product *p, long index) {
    const long pairs = p->hidden ? p->end - p->first : (p->end - p->first + 1) / 2;
    const long tiles = p->weights[0]->columns / TILE_INPUTS, block = index / pairs * BLOCK_TILES;
    pass result = {.pair = index % pairs, .block = block};
    if (block >= tiles) { return result; }
    result.count = tiles - block < BLOCK_TILES ? tiles - block : BLOCK_TILES;
    for (long side = 0; side < 2; side++) {
        long panel = p->first + (p->hidden ? result.pair : 2 * result.pair + side);
        // An odd last panel goes with itself; nobody looks at those sums.
        if (panel >= p->end) { panel = p->end - 1; }
        result.panels[side] = p->weights[side]->panels + panel * p->weights[side]->panel_bytes;
    }
    return result;
}

// Halves of blocks that a pass expands, and the `unit`-th of them.
static long units_of(const pass *pass) { return 4 * pass->count; }
INLINE void expand_unit(const product *p, const pass *pass, long unit, uint16_t *tiles, tk_type type) {
    const long side = unit >= 2 * pass->count, b = unit / 2 - side * pass->count;
    expand_half(p->weights[side], pass->panels[side], pass->block + b, unit % 2,
                tiles + (side * BLOCK_TILES + b) * TILE_NUMBERS, type);
}

// The sums of 32 rows on their way out, a few rows at a time, while the next ones are multiplied.
typedef struct {
    float sums[2][ROWS_AT_ONCE * TK_PANEL_ROWS] __attribute__((aligned(64)));  // of the left and of the right columns
    long row, pair, next;  // the first row's number in the prompt; the next row to go out
    bool adds;
} outbox;

// To y; what is there is added if these are not the first inputs.
static void put_sums(const product *p, const outbox *out, long rows) {
    const long column = (p->first + 2 * out->pair) * TK_PANEL_ROWS, limit = p->end * TK_PANEL_ROWS;
    const long columns = (p->weights[0]->rows < limit ? p->weights[0]->rows : limit) - column;
    const __mmask16 left = first_lanes(columns), right = first_lanes(columns < 16 ? 0 : columns - 16);
    float *y = p->y + (out->row + out->next) * p->y_stride + column;
    for (long r = out->next; r < out->next + rows; r++, y += p->y_stride) {
        __m512 a = _mm512_load_ps(out->sums[0] + r * TK_PANEL_ROWS), b = _mm512_load_ps(out->sums[1] + r * TK_PANEL_ROWS);
        if (out->adds) {
            a = _mm512_add_ps(a, _mm512_maskz_loadu_ps(left, y));
            b = _mm512_add_ps(b, _mm512_maskz_loadu_ps(right, y + 16));
        }
        _mm512_mask_storeu_ps(y, left, a);
        _mm512_mask_storeu_ps(y + 16, right, b);
        // Rows stand far apart: the ones that go out next time are asked for.
        __builtin_prefetch(y + ROWS_AT_ONCE * p->y_stride, 1);
        __builtin_prefetch(y + ROWS_AT_ONCE * p->y_stride + 16, 1);
    }
}

// f(left) · right as the inputs of the next product, in tiles. Tiles that rows do not fill have something in their other rows.
static void put_gated(const product *p, outbox *out) {
    const long tile = (out->row + out->next) / TILE_ROWS, column = p->first + out->pair, block = column / 2 / BLOCK_TILES * BLOCK_TILES;
    if (tile >= p->row_tiles) { return; }
    float *gate = out->sums[0] + out->next * TK_PANEL_ROWS;
    tk_x86_avx512vnni.kernels.activate_gated(p->function, gate, out->sums[1] + out->next * TK_PANEL_ROWS, ROWS_OUT * TK_PANEL_ROWS);
    uint16_t *to = p->hidden + tiles_at(tile, p->row_tiles, block, p->weights[0]->rows / TILE_INPUTS)
                   + (column / 2 - block) * TILE_NUMBERS + out->next % TILE_ROWS * TILE_INPUTS + column % 2 * TK_PANEL_ROWS;
    for (long r = 0; r < ROWS_OUT; r += 2, gate += 2 * TK_PANEL_ROWS, to += 2 * TILE_INPUTS) {
        __m512i rows = rounded(_mm512_load_ps(gate), _mm512_load_ps(gate + TK_PANEL_ROWS));
        _mm256_storeu_si256((__m256i *)to, _mm512_castsi512_si256(rows));
        _mm256_storeu_si256((__m256i *)(to + TILE_INPUTS), _mm512_extracti64x4_epi64(rows, 1));
    }
}

static void put(const product *p, outbox *out) {
    if (out->next >= ROWS_AT_ONCE) { return; }
    long rows = p->m - out->row - out->next;
    if (p->hidden) {
        put_gated(p, out);
    } else if (rows > 0) {
        put_sums(p, out, rows < ROWS_OUT ? rows : ROWS_OUT);
    }
    out->next += ROWS_OUT;
}

// Asks for a quarter of the tile after next: loads of tiles do not wake the processor's own prefetching. A quarter goes
// between any two instructions for tiles, which take up to twice as long directly behind each other where another program
// works on the core's other thread.
static inline void ask_ahead(const uint16_t *tile, int quarter) {
    const uint16_t *from = tile + 2 * TILE_NUMBERS + quarter * TILE_NUMBERS / 4;
    for (int line = 0; line < TILE_ROWS / 4; line++) { _mm_prefetch((const char *)(from + TILE_INPUTS * line), _MM_HINT_T0); }
}

// The tile unit takes most of a product's time and few of its instructions. So that the rest costs nothing it goes along, a
// little after each tile of inputs: the next pass's weights are expanded, and the rows before are put where they belong.
INLINE void multiply_tiles(const product *p, uint16_t *tiles, tk_type type) {
    outbox boxes[2];
    boxes[0].next = boxes[1].next = ROWS_AT_ONCE;
    uint16_t *here = tiles, *there = tiles + 2 * BLOCK_TILES * TILE_NUMBERS;
    outbox *out = boxes, *before = boxes + 1;
    configure_tiles();
    pass now = pass_at(p, 0);
    for (long unit = 0; unit < units_of(&now); unit++) { expand_unit(p, &now, unit, here, type); }
    for (long index = 0; now.count > 0; index++) {
        const pass next = pass_at(p, index + 1);
        const long units = units_of(&next), steps = (p->m + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE * now.count;
        long unit = 0, units_due = 0;
        for (long i = 0; i < p->m; i += ROWS_AT_ONCE) {
            const uint16_t *a = p->x + tiles_at(i / TILE_ROWS, p->row_tiles, now.block, p->weights[0]->columns / TILE_INPUTS);
            const uint16_t *b = here;
            const bool has_lower = i / TILE_ROWS + 1 < p->row_tiles;
            long rows_due = 0;
            clear_sums();
            for (long s = 0; s < now.count; s++, a += TILE_NUMBERS, b += TILE_NUMBERS) {
                const uint16_t *lower = a + now.count * TILE_NUMBERS;
                _tile_loadd(4, a, 64);
                ask_ahead(a, 0);
                _tile_loadd(6, b, 64);
                ask_ahead(a, 1);
                _tile_dpbf16ps(0, 4, 6);
                ask_ahead(a, 2);
                _tile_loadd(7, b + BLOCK_TILES * TILE_NUMBERS, 64);
                ask_ahead(a, 3);
                _tile_dpbf16ps(1, 4, 7);
                if (has_lower) {
                    ask_ahead(lower, 0);
                    _tile_loadd(5, lower, 64);
                    ask_ahead(lower, 1);
                    _tile_dpbf16ps(2, 5, 6);
                    ask_ahead(lower, 2);
                    _tile_dpbf16ps(3, 5, 7);
                    ask_ahead(lower, 3);
                }
                for (rows_due += ROWS_AT_ONCE / ROWS_OUT; rows_due >= now.count; rows_due -= now.count) { put(p, before); }
                for (units_due += units; units_due >= steps; units_due -= steps) { expand_unit(p, &next, unit++, there, type); }
            }
            _tile_stored(0, out->sums[0], 64);
            _tile_stored(1, out->sums[1], 64);
            _tile_stored(2, out->sums[0] + TILE_ROWS * TK_PANEL_ROWS, 64);
            _tile_stored(3, out->sums[1] + TILE_ROWS * TK_PANEL_ROWS, 64);
            out->row = i;
            out->pair = now.pair;
            out->next = 0;
            out->adds = now.block > 0;
            outbox *other = before;
            before = out;
            out = other;
        }
        uint16_t *other = here;
        here = there;
        there = other;
        now = next;
    }
    while (before->next < ROWS_AT_ONCE) { put(p, before); }
    _tile_release();
}

#define CASE(TYPE) case TYPE: multiply_tiles(p, tiles, TYPE); break;

static void multiply(const product *p, uint16_t *tiles) {
    if (p->m <= 0 || p->first >= p->end) { return; }
    switch (p->weights[0]->type) {
        TK_PACKED_TYPES(CASE)
    default: multiply_tiles(p, tiles, TK_BF16);
    }
}

void tk_amx_multiply_rounded(const tk_packed *weight, long first, long end, const uint16_t *x, long m, float *y, long y_stride,
                             uint16_t *tiles) {
    multiply(&(product){.weights = {weight, weight}, .first = first, .end = end, .x = x, .m = m,
                        .row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS, .y = y, .y_stride = y_stride}, tiles);
}

void tk_amx_multiply_gated(const tk_packed *gate, const tk_packed *up, long first, long end, const uint16_t *x, long m,
                           tk_activation f, uint16_t *hidden, uint16_t *tiles) {
    multiply(&(product){.weights = {gate, up}, .first = first, .end = end, .x = x, .m = m,
                        .row_tiles = (m + TILE_ROWS - 1) / TILE_ROWS, .hidden = hidden, .function = f}, tiles);
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
