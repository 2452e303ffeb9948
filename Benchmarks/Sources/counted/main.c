// Runs each kernel once, so that scripts/check_instructions can count its instructions.
//
//     counted ISA        prints a line for each kernel, in the order in which they are run
//
// Whoever counts turns the counting on while the function `counted` runs, and takes a count each time it returns.
#include "benchmark.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, COLUMNS = 512, TOKENS = 64, WIDTH = 64, PROMPT = 8 };

typedef struct {
    const tk_kernels *kernels;
    const tk_packed *matrix;
    tk_quantized x, prompt;
    float *a, *b, *y, *scratch;
    uint16_t *halves;
    long first, count;
} operands;

typedef void run(operands *o);

static run multiply_packed, multiply_prompt, multiply, quantize, weigh, attend, attend_halves, rms_norm, layer_norm, softmax,
    softmax_of_77, silu, gelu, rotate, angles;

static void multiply_packed(operands *o) {
    o->kernels->multiply_packed(o->matrix, 0, ROWS / TK_PANEL_ROWS, &o->x, 1, o->y, ROWS);
}
// Eight rows of coarse activations.
static void multiply_prompt(operands *o) {
    o->kernels->multiply_packed(o->matrix, 0, ROWS / TK_PANEL_ROWS, &o->prompt, PROMPT, o->y, ROWS);
}
static void multiply(operands *o) {
    o->kernels->multiply(o->a, COLUMNS, 1, TK_F32, o->b, COLUMNS, ROWS, COLUMNS, o->y, ROWS);
}
static void quantize(operands *o) { o->kernels->quantize(o->a, COLUMNS, o->x.high, o->x.low, o->x.scales, o->x.sums); }
static void weigh(operands *o) { o->kernels->weigh(o->a, TOKENS, 1, TK_F32, o->b, WIDTH, TOKENS, o->y, false); }
static void attend(operands *o) {
    tk_attend(o->kernels, o->a, 1, TK_F32, o->b, o->b, &o->first, &o->count, WIDTH, 0.125f, NULL, o->scratch, o->y);
}
static void attend_halves(operands *o) {
    tk_attend(o->kernels, o->a, 1, TK_F16, o->halves, o->halves, &o->first, &o->count, WIDTH, 0.125f, NULL, o->scratch, o->y);
}
static void rms_norm(operands *o) { o->kernels->rms_norm(o->y, o->a, o->b, 1e-5f, COLUMNS); }
static void layer_norm(operands *o) { o->kernels->layer_norm(o->y, o->a, o->b, o->b, 1e-5f, COLUMNS); }
static void softmax(operands *o) { o->kernels->softmax(o->y, COLUMNS); }
static void softmax_of_77(operands *o) { o->kernels->softmax(o->y, 77); }  // no whole number of vectors
static void silu(operands *o) { o->kernels->activate_gated(TK_SILU, o->y, o->a, COLUMNS); }
static void gelu(operands *o) { o->kernels->activate(TK_GELU_TANH, o->y, COLUMNS); }
static void rotate(operands *o) { o->kernels->rotate_halves(o->y, o->a, o->b, WIDTH / 2); }
static void angles(operands *o) { tk_rotary_angles(o->a, WIDTH / 2, 0, 1, 1, o->y, o->y + WIDTH); }

// Not inlined and not known to the optimizer, so that there is a call to be seen.
__attribute__((noinline)) void counted(run *volatile body, operands *o) { body(o); }

static void count(const char *name, const char *type, run *body, operands *o) {
    memcpy(o->y, o->a, COLUMNS * sizeof(float));
    counted(body, o);
    printf("%s%s%s\n", name, *type ? " " : "", type);
}

static const tk_kernels *find(const char *name) {
    for (int i = 0; tk_kernels_at(i); i++) {
        if (strcmp(tk_kernels_at(i)->name, name) == 0 && tk_is_supported(tk_kernels_at(i))) { return tk_kernels_at(i); }
    }
    return NULL;
}

int main(int argument_count, char **arguments) {
    operands o = {.kernels = argument_count == 2 ? find(arguments[1]) : NULL, .count = TOKENS};
    if (!o.kernels) {
        fprintf(stderr, "counted: one argument is expected, an instruction set that this machine has\n");
        return 64;
    }
    o.a = bench_floats(PROMPT * COLUMNS);
    o.b = bench_floats(ROWS * COLUMNS);
    o.y = calloc(COLUMNS + PROMPT * ROWS, sizeof(float));
    o.scratch = calloc((size_t)tk_attention_floats(1, TOKENS), sizeof(float));
    o.halves = calloc(TOKENS * WIDTH, sizeof(uint16_t));
    if (!o.a || !o.b || !o.y || !o.scratch || !o.halves) { return 1; }
    o.kernels->narrow(o.b, TOKENS * WIDTH, o.halves);
    o.prompt.is_coarse = true;
    if (!bench_quantized(o.kernels, o.a, 1, COLUMNS, &o.x)) { return 1; }
    if (!bench_quantized(o.kernels, o.a, PROMPT, COLUMNS, &o.prompt)) { return 1; }
    for (tk_type type = 0; type < TK_TYPE_COUNT; type++) {
        if (tk_block_elements(type) == 1) { continue; }
        tk_packed *matrix = bench_matrices(type, ROWS, COLUMNS, 1);
        if (!matrix) { return 1; }
        o.matrix = matrix;
        count("multiply_packed", bench_type_name(type), multiply_packed, &o);
        if (matrix->is_narrow) { count("multiply_packed of a prompt", bench_type_name(type), multiply_prompt, &o); }
        bench_free_matrices(matrix);
    }
    static const struct { const char *name; run *body; } others[] = {
        {"multiply", multiply}, {"quantize", quantize}, {"weigh", weigh}, {"attend", attend},
        {"attend halves", attend_halves}, {"rms_norm", rms_norm}, {"layer_norm", layer_norm}, {"softmax", softmax},
        {"softmax of 77", softmax_of_77}, {"silu", silu}, {"gelu", gelu}, {"rotate_halves", rotate}, {"rotary_angles", angles},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) { count(others[i].name, "", others[i].body, &o); }
    return 0;
}
