// What stands between the products, against its formula in doubles, with the bounds of ElementwiseTests.swift; and halves.
#include "support.h"

#include <math.h>
#include <string.h>

static const long lengths[] = {1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 576};

static float *copy(int place, const float *values, long count) {
    return memcpy(floats(place, count), values, (size_t)count * sizeof *values);
}

static void rms_norm(const tk_kernels *kernels, long n, float size, float epsilon) {
    generator random = {(uint64_t)n};
    float *x = floats(0, n), *weight = floats(1, n), *y = floats(2, n);
    fill_floats(&random, size, x, n);
    fill_floats(&random, 1, weight, n);
    x[0] = size;  // not all zero
    kernels->rms_norm(y, x, weight, epsilon, n);
    double root = sqrt(norm(x, n) * norm(x, n) / (double)n + (double)epsilon);
    for (long i = 0; i < n; i++) {
        double expected = (double)x[i] / root * (double)weight[i];
        // The factor is rounded, and two products; numbers may fall below the normal ones.
        EXPECT(is_close(y[i], expected, gamma_of(4) * fabs(expected) + 0x1p-140),
               "%s: rms_norm, n %ld, size %g: %ld is %g, not %g", kernels->name, n, (double)size, i, (double)y[i], expected);
    }
}

static void layer_norm(const tk_kernels *kernels, long n, float shift, bool has_bias) {
    generator random = {(uint64_t)n + 50};
    float *x = floats(0, n), *weight = floats(1, n), *bias = floats(2, n), *y = floats(3, n);
    fill_floats(&random, 1, x, n);
    fill_floats(&random, 1, weight, n);
    fill_floats(&random, 1, bias, n);
    double mean = 0, variance = 0;
    for (long i = 0; i < n; i++) { mean += (double)(x[i] += shift) / (double)n; }
    for (long i = 0; i < n; i++) { variance += ((double)x[i] - mean) * ((double)x[i] - mean) / (double)n; }
    kernels->layer_norm(y, x, weight, has_bias ? bias : NULL, 1e-5f, n);
    const double factor = 1 / sqrt(variance + (double)1e-5f);
    for (long i = 0; i < n; i++) {
        double part = ((double)x[i] - mean) * factor * (double)weight[i], added = has_bias ? (double)bias[i] : 0;
        // The mean is rounded before it is taken off, which the factor enlarges; then a few roundings.
        double bound = gamma_of(2) * fabs(mean) * factor * fabs((double)weight[i]) + gamma_of(6) * (fabs(part) + fabs(added));
        EXPECT(is_close(y[i], part + added, bound), "%s: layer_norm, n %ld, shift %g: %ld is %g, not %g", kernels->name, n,
               (double)shift, i, (double)y[i], part + added);
    }
}

static void softmax(const tk_kernels *kernels, long n, float size) {
    generator random = {(uint64_t)n + 100};
    float *x = floats(0, n);
    fill_floats(&random, size, x, n);
    for (long i = 4; i < n; i += 5) { x[i] = -INFINITY; }
    float *y = copy(1, x, n);
    kernels->softmax(y, n);
    double largest = -HUGE_VAL, sum = 0, total = 0;
    for (long i = 0; i < n; i++) { largest = fmax(largest, (double)x[i]); }
    for (long i = 0; i < n; i++) { sum += exp((double)x[i] - largest); }
    for (long i = 0; i < n; i++) {
        double below = largest - (double)x[i], expected = exp(-below) / sum;
        // The difference is rounded before e is raised to it.
        EXPECT(is_close(y[i], expected, expected * gamma_of(8 + (long)fmin(1e5, below)) + 0x1p-126),
               "%s: softmax, n %ld, size %g: %ld is %g, not %g", kernels->name, n, (double)size, i, (double)y[i], expected);
        total += (double)y[i];
    }
    EXPECT(fabs(total - 1) < gamma_of(16), "%s: softmax, n %ld, size %g adds up to %g", kernels->name, n, (double)size, total);
}

// Over the whole range of the exponential, and where there is no more of it.
static void softmax_extremes(const tk_kernels *kernels) {
    for (int step = 0; step < 2000; step++) {
        float *pair = floats(0, 2), x = (float)step * -0.0435f;
        pair[0] = 0;
        pair[1] = x;
        kernels->softmax(pair, 2);
        double expected = exp((double)x) / (1 + exp((double)x));
        // Two units of the power, and the roundings of the sum, its inverse and the product.
        EXPECT(is_close(pair[1], expected, expected * gamma_of(8)), "%s: softmax of 0 and %g gave %g, not %g", kernels->name,
               (double)x, (double)pair[1], expected);
    }
    for (long n = 2; n <= 40; n++) {
        float *far = floats(0, n);
        for (long i = 0; i < n; i++) { far[i] = i == 0 ? 0 : i % 2 ? -88 : -INFINITY; }
        kernels->softmax(far, n);
        for (long i = 0; i < n; i++) {
            EXPECT(far[i] == (i == 0), "%s: softmax, n %ld, far below: %ld is %g", kernels->name, n, i, (double)far[i]);
        }
        float *equal = floats(0, n);
        for (long i = 0; i < n; i++) { equal[i] = 3e38f; }
        kernels->softmax(equal, n);
        for (long i = 0; i < n; i++) {
            EXPECT(is_close(equal[i], 1 / (double)n, gamma_of(4)), "%s: softmax of %ld large numbers: %ld is %g",
                   kernels->name, n, i, (double)equal[i]);
        }
        float *bad = floats(0, n);
        for (long i = 0; i < n; i++) { bad[i] = i == n / 2 ? NAN : (float)i; }
        kernels->softmax(bad, n);
        for (long i = 0; i < n; i++) { EXPECT(isnan(bad[i]), "%s: softmax, n %ld, hides NaN", kernels->name, n); }
    }
}

static double formula(tk_activation f, double x) {
    switch (f) {
    case TK_SILU: return x / (1 + exp(-x));
    case TK_GELU: return 0.5 * x * erfc(-x / sqrt(2));
    case TK_GELU_TANH: return 0.5 * x * (1 + tanh(sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x)));
    case TK_GELU_QUICK: return x / (1 + exp(-1.702 * x));
    case TK_RELU: return x > 0 ? x : 0;
    }
    return nan("");
}

static void activations(const tk_kernels *kernels, tk_activation f, long n) {
    static const float special[] = {0, -0.0f, 1, -1, 50, -50, 200, -200, 1e20f, -1e20f, 1e-30f};
    generator random = {(uint64_t)n + 13};
    float *x = floats(0, n), *gate = floats(1, n);
    fill_floats(&random, 12, x, n);
    fill_floats(&random, 1, gate, n);
    for (long i = 0; i < 11 && i < n; i++) { x[(i * 7 + n) % n] = special[i]; }
    float *y = copy(2, x, n), *gated = copy(3, x, n);
    kernels->activate(f, y, n);
    kernels->activate_gated(f, gated, gate, n);
    for (long i = 0; i < n; i++) {
        double expected = formula(f, (double)x[i]);
        // 1 + erf and 1 + tanh cancel where x is negative: the error is relative to x itself, not to the small result.
        EXPECT(is_close(y[i], expected, gamma_of(16) * fabs((double)x[i]) * (x[i] < -6 ? 1 : 2)),
               "%s: activation %d, n %ld: of %g is %g, not %g", kernels->name, f, n, (double)x[i], (double)y[i], expected);
        float product = y[i] * gate[i];
        EXPECT(first_difference(gated + i, &product, 1) < 0, "%s: activation %d, n %ld, gated: %ld is %g, not %g",
               kernels->name, f, n, i, (double)gated[i], (double)product);
    }
    float *bad = copy(2, x, n);
    bad[n / 2] = NAN;
    kernels->activate(f, bad, n);
    EXPECT(f == TK_RELU || isnan(bad[n / 2]), "%s: activation %d, n %ld, hides NaN", kernels->name, f, n);
}

static void rotation(const tk_kernels *kernels, long pairs, bool are_neighbours) {
    generator random = {(uint64_t)pairs + 200};
    float *head = floats(0, 2 * pairs), *cosines = floats(1, pairs), *sines = floats(2, pairs), *frequencies = floats(3, pairs);
    fill_floats(&random, 1, head, 2 * pairs);
    for (long i = 0; i < pairs; i++) { frequencies[i] = (float)pow(10000, -(double)i / (double)pairs); }
    tk_rotary_angles(frequencies, pairs, 7, 1, 1.25f, cosines, sines);
    float *turned = copy(4, head, 2 * pairs);
    (are_neighbours ? kernels->rotate_neighbours : kernels->rotate_halves)(turned, cosines, sines, pairs);
    for (long i = 0; i < pairs; i++) {
        const long first = are_neighbours ? 2 * i : i, second = are_neighbours ? 2 * i + 1 : pairs + i;
        double angle = (double)(7 * frequencies[i]), a = (double)head[first], b = (double)head[second];
        EXPECT(is_close(cosines[i], 1.25 * cos(angle), gamma_of(3)) && is_close(sines[i], 1.25 * sin(angle), gamma_of(3)),
               "angle %ld of %ld: %g and %g", i, pairs, (double)cosines[i], (double)sines[i]);
        double cosine = (double)cosines[i], sine = (double)sines[i], bound = gamma_of(3) * 2.5;
        EXPECT(is_close(turned[first], a * cosine - b * sine, bound) && is_close(turned[second], b * cosine + a * sine, bound),
               "%s: rotation, %ld pairs, neighbours %d: pair %ld is %g, %g", kernels->name, pairs, are_neighbours, i,
               (double)turned[first], (double)turned[second]);
    }
}

static void add_and_scale(const tk_kernels *kernels, long n) {
    generator random = {(uint64_t)n + 300};
    float *x = floats(0, n), *y = floats(1, n);
    fill_floats(&random, 1, x, n);
    fill_floats(&random, 1, y, n);
    float *sum = copy(2, x, n), *scaled = copy(3, x, n);
    kernels->add(sum, y, n);
    kernels->scale(scaled, 0.3f, n);
    for (long i = 0; i < n; i++) {
        EXPECT(sum[i] == x[i] + y[i] && scaled[i] == x[i] * 0.3f, "%s: add or scale, n %ld: %ld is %g and %g", kernels->name,
               n, i, (double)sum[i], (double)scaled[i]);
    }
}

// --- Halves ---

static uint16_t *halves(int place, long count) { return memory(place, count * (long)sizeof(uint16_t), 0); }

// Every half that is a number comes back from a float; halfway between two neighbours the even one is taken, and beside
// that the nearer one.
static void every_half(const tk_kernels *kernels) {
    enum { LARGEST = 0x7BFF, COUNT = 3 * LARGEST };
    for (uint16_t sign = 0; sign <= 1; sign++) {
        uint16_t *given = halves(0, LARGEST + 1), *back = halves(1, LARGEST + 1), *result = halves(2, COUNT);
        float *wide = floats(3, LARGEST + 1), *expected = floats(4, LARGEST + 1), *between = floats(5, COUNT);
        for (long i = 0; i <= LARGEST; i++) { given[i] = (uint16_t)(i | sign << 15); }
        tk_expand(TK_F16, given, LARGEST + 1, expected);
        // Products with one, and one times a row: each is the half itself, the zero without its sign.
        const float one = 1;
        expected[0] = 0;
        kernels->multiply(&one, 1, 1, TK_F16, given, 1, LARGEST + 1, 1, wide, LARGEST + 1);
        EXPECT(first_difference(wide, expected, LARGEST + 1) < 0, "%s: products with halves differ", kernels->name);
        kernels->weigh(&one, 1, 1, TK_F16, given, LARGEST + 1, 1, wide, false);
        EXPECT(first_difference(wide, expected, LARGEST + 1) < 0, "%s: sums of halves differ", kernels->name);
        tk_expand(TK_F16, given, LARGEST + 1, wide);
        kernels->narrow(wide, LARGEST + 1, back);
        EXPECT(memcmp(back, given, sizeof *given * (LARGEST + 1)) == 0, "%s: narrow does not give halves back", kernels->name);
        for (long i = 0; i < LARGEST; i++) {
            float middle = (wide[i] + wide[i + 1]) / 2;
            between[3 * i] = nextafterf(middle, wide[i]);
            between[3 * i + 1] = middle;
            between[3 * i + 2] = nextafterf(middle, wide[i + 1]);
        }
        kernels->narrow(between, COUNT, result);
        for (long i = 0; i < COUNT; i++) {
            long low = i / 3, nearest = i % 3 == 0 ? low : i % 3 == 2 ? low + 1 : low + low % 2;
            EXPECT(result[i] == given[nearest], "%s: narrow, %g became %04x, not %04x", kernels->name, (double)between[i],
                   result[i], given[nearest]);
        }
    }
}

// What is too large becomes the largest, NaN stays, and at any length nothing behind the end is touched.
static void halves_at_lengths(const tk_kernels *kernels, long n) {
    static const float special[] = {65504, 65519, 65520, -65520, 1e30f, -1e30f, INFINITY, -INFINITY, NAN, 1e-8f, -0.0f};
    for (long turn = 0; turn < 11; turn++) {
        float *values = floats(0, n), *wide = floats(1, n);
        uint16_t *narrowed = halves(2, n + 20), *exact_end = halves(3, n);
        for (long i = 0; i < n; i++) { values[i] = special[(i + turn) % 11]; }
        kernels->narrow(values, n, narrowed);
        for (long i = n; i < n + 20; i++) {
            EXPECT(narrowed[i] == 0xA5A5, "%s: narrow, n %ld, writes %ld", kernels->name, n, i);
        }
        kernels->narrow(values, n, exact_end);
        tk_expand(TK_F16, exact_end, n, wide);
        for (long i = 0; i < n; i++) {
            float expected = fminf(fmaxf(values[i], -65504), 65504);
            bool holds = isnan(values[i]) ? isnan(wide[i])
                                          : narrowed[i] == tk_to_half(expected) && fabsf(wide[i] - expected) <= 0x1p-25f;
            EXPECT(holds && narrowed[i] == exact_end[i], "%s: narrow, n %ld: %g became %g", kernels->name, n,
                   (double)values[i], (double)wide[i]);
        }
    }
}

void test_elementwise(const tk_kernels *kernels) {
    for (int i = 0; i < 16; i++) {
        const long n = lengths[i];
        rms_norm(kernels, n, 1, 1e-5f);
        rms_norm(kernels, n, 0x1p-60f, 1e-6f);
        rms_norm(kernels, n, 0x1p60f, 1e-5f);
        rms_norm(kernels, n, 1e-3f, 0);
        static const float shifts[] = {0, 10, -1000}, sizes[] = {1, 20, 1e4f};
        for (int s = 0; s < 3; s++) {
            layer_norm(kernels, n, shifts[s], s % 2);
            layer_norm(kernels, n, shifts[s], s % 2 == 0);
            softmax(kernels, n, sizes[s]);
        }
        for (tk_activation f = TK_SILU; f <= TK_RELU; f++) { activations(kernels, f, n); }
        add_and_scale(kernels, n);
        if (n <= 64) { rotation(kernels, n, false), rotation(kernels, n, true); }
    }
    softmax_extremes(kernels);
    every_half(kernels);
    for (long n = 0; n <= 35; n++) { halves_at_lengths(kernels, n); }
}
