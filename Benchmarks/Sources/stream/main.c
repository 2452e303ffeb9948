// Memory bandwidth, measured apart from all of tinygpt: in the manner of McCalpin's STREAM, on arrays of doubles.
//
//     stream MEGABYTES THREADS ROUNDS       prints the best GB/s of each as JSON
//
// "sum" only reads, as products with weights do. "copy" and "triad" write too; the lines that they write are read first,
// and as in STREAM that is not counted, so they come out lower.
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MOST_THREADS = 256, KINDS = 3 };

static double *a, *b, *c;
static long count;
static int threads, rounds;
static pthread_barrier_t barrier;
static double sums[MOST_THREADS][8];  // a line each
static double best[KINDS];

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static double sum(const double *x, long n) {
    double s[8] = {0};
    for (long i = 0; i + 8 <= n; i += 8) {
        for (int j = 0; j < 8; j++) { s[j] += x[i + j]; }
    }
    return ((s[0] + s[1]) + (s[2] + s[3])) + ((s[4] + s[5]) + (s[6] + s[7]));
}

static void *work(void *argument) {
    const long part = (long)(size_t)argument;
    const long first = count * part / threads, end = count * (part + 1) / threads;
    // Who touches a page first has it near.
    for (long i = first; i < end; i++) { a[i] = 1, b[i] = 2, c[i] = 0; }
    for (int round = 0; round < rounds; round++) {
        for (int kind = 0; kind < KINDS; kind++) {
            pthread_barrier_wait(&barrier);
            double begin = now();
            if (kind == 0) {
                sums[part][0] += sum(a + first, end - first);
            } else if (kind == 1) {
                for (long i = first; i < end; i++) { c[i] = a[i]; }
            } else {
                for (long i = first; i < end; i++) { c[i] = a[i] + 3 * b[i]; }
            }
            pthread_barrier_wait(&barrier);
            double seconds = now() - begin;
            if (part == 0 && (best[kind] == 0 || seconds < best[kind])) { best[kind] = seconds; }
        }
    }
    return NULL;
}

int main(int argument_count, char **arguments) {
    long megabytes = argument_count == 4 ? strtol(arguments[1], NULL, 10) : 0;
    threads = argument_count == 4 ? (int)strtol(arguments[2], NULL, 10) : 0;
    rounds = argument_count == 4 ? (int)strtol(arguments[3], NULL, 10) : 0;
    if (megabytes < 1 || megabytes > 1 << 20 || threads < 1 || threads > MOST_THREADS || rounds < 1) {
        fprintf(stderr, "usage: stream MEGABYTES THREADS ROUNDS\n");
        return 64;
    }
    count = megabytes * 1000000 / (long)sizeof(double);
    a = malloc((size_t)count * sizeof *a), b = malloc((size_t)count * sizeof *b), c = malloc((size_t)count * sizeof *c);
    if (!a || !b || !c) {
        fprintf(stderr, "stream: no memory for three arrays of %ld MB\n", megabytes);
        return 1;
    }
    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    pthread_t handles[MOST_THREADS];
    for (long part = 1; part < threads; part++) {
        if (pthread_create(&handles[part], NULL, work, (void *)(size_t)part) != 0) {
            fprintf(stderr, "stream: there is no thread %ld\n", part);
            return 1;
        }
    }
    work(NULL);
    for (int part = 1; part < threads; part++) { pthread_join(handles[part], NULL); }
    double total = 0;
    for (int part = 0; part < threads; part++) { total += sums[part][0]; }
    if (total <= 0) { return 1; }  // so that the sums are needed
    const double bytes = (double)count * sizeof(double) * 1e-9;
    printf("{\"sum\": %.3f, \"copy\": %.3f, \"triad\": %.3f}\n", bytes / best[0], 2 * bytes / best[1], 3 * bytes / best[2]);
    return 0;
}
