// What the files of this target share: an instruction set's table, and how to ask for it.
#ifndef TINY_KERNELS_INTERNAL_H
#define TINY_KERNELS_INTERNAL_H

#include "include/tiny_kernels.h"

// A table and the question whether this machine can run it. The table comes first: dispatch casts between the two.
typedef struct {
    tk_kernels kernels;
    bool (*is_supported)(void);
} tk_variant;

extern const tk_variant tk_plain;
#if defined(__x86_64__)
extern const tk_variant tk_x86_avx2;
extern const tk_variant tk_x86_avx512vnni;
#endif

// The codes of activations one after the other.
void tk_quantize_plain(const float *values, long k, const tk_quantized *out);

#endif
