// What the files of this target share: an instruction set's table, and how to ask for it.
#ifndef TINY_KERNELS_INTERNAL_H
#define TINY_KERNELS_INTERNAL_H

#include "include/tiny_kernels.h"

#include <string.h>

// A table and the question whether this machine can run it. The table comes first: dispatch casts between the two.
typedef struct {
    tk_kernels kernels;
    bool (*is_supported)(void);
} tk_variant;

extern const tk_variant tk_plain;
#if defined(__x86_64__)
extern const tk_variant tk_x86_avx2;
extern const tk_variant tk_x86_avx512vnni;
extern const tk_variant tk_x86_amx;
#elif defined(__aarch64__)
extern const tk_variant tk_arm_dotprod;
#endif

// What every table has alike.
#define TK_SHARED .product_floats = tk_product_floats, .quantize_rows = tk_quantize_rows, .attend = tk_attend

// For what is to be expanded with constant arguments.
#define INLINE static inline __attribute__((always_inline))

static inline bool tk_is_float(tk_type type) { return type == TK_F32 || type == TK_F16 || type == TK_BF16; }
static inline long tk_float_bytes(tk_type type) { return type == TK_F32 ? 4 : 2; }

// Four codes as they stand in memory.
static inline int32_t quad_at(const int8_t *codes) {
    int32_t quad;
    memcpy(&quad, codes, sizeof quad);
    return quad;
}

#if defined(__x86_64__)
// x86_amx.c, x86_amx_decode.c, x86_amx_tokens.c and x86_amx_attention.c; see the table.
bool tk_amx_is_supported(void);
void tk_amx_multiply_packed(const tk_packed *weight, long first, long end, const tk_quantized *x, long m, float *y,
                            long y_stride);
void tk_amx_round_rows(const float *x, long first, long end, long m, long k, uint16_t *tiled);
void tk_amx_multiply_rounded(const tk_packed *weight, long first, long end, const uint16_t *x, long m, float *y, long y_stride,
                             uint16_t *tiles);
void tk_amx_multiply_gated(const tk_packed *gate, const tk_packed *up, long first, long end, const uint16_t *x, long m,
                           tk_activation f, uint16_t *hidden, uint16_t *tiles);
void tk_amx_pack_tokens(tk_type type, const void *keys, const void *values, long first, long end, long width,
                        uint16_t *packed_keys, uint16_t *packed_values);
void tk_amx_attend(const float *queries, long m, const uint16_t *keys, const uint16_t *values, const long *firsts,
                   const long *counts, long width, float scale, const tk_score_terms *terms, float *scratch, float *out);
long tk_amx_attention_floats(long width);
#elif defined(__aarch64__)
// For every table of this architecture.
void tk_quantize_neon(const float *values, long k, int8_t *high, int8_t *low, float *scales, int32_t *sums);
void tk_narrow_neon(const float *values, long n, uint16_t *halves);
#endif

#endif
