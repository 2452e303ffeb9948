// Tests every table of kernels that this processor can run, prints which those were, and ends with status 1 if anything
// did not hold. The caller knows the processor and compares. An argument is the margin of support.h, in bytes.
#include "support.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

int main(int count, char **arguments) {
    margin = count > 1 ? atol(arguments[1]) : 0;
    printf("kernels:");
    for (int i = 0; tk_kernels_at(i); i++) {
        if (!tk_is_supported(tk_kernels_at(i))) { continue; }
        test_floats(tk_kernels_at(i));
        test_packed(tk_kernels_at(i));
        test_elementwise(tk_kernels_at(i));
        test_attention(tk_kernels_at(i));
        if (tk_kernels_at(i)->multiply_rounded) { test_tiles(tk_kernels_at(i)); }
        printf(" %s", tk_kernels_at(i)->name);
    }
    printf("\nformats: %016" PRIx64 "\n%ld checks, %ld failed\n", formats_fingerprint(), checks, failures);
    return failures == 0 ? 0 : 1;
}
