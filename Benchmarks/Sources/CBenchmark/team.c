// Threads that start together and are timed together.
#include "benchmark.h"

#include <pthread.h>
#include <stdatomic.h>

enum { MOST_THREADS = 256 };

typedef struct {
    void (*body)(void *context, int part);
    void *context;
    atomic_int ready;
    atomic_bool go;
    uint64_t ends[MOST_THREADS];
} team;

typedef struct {
    team *team;
    int part;
} member;

static void *work(void *argument) {
    member *me = argument;
    atomic_fetch_add(&me->team->ready, 1);
    while (!atomic_load_explicit(&me->team->go, memory_order_acquire)) { tk_pause(); }
    me->team->body(me->team->context, me->part);
    me->team->ends[me->part] = tk_nanoseconds();
    return NULL;
}

double bench_team(int threads, void (*body)(void *context, int part), void *context) {
    team all = {.body = body, .context = context};
    pthread_t handles[MOST_THREADS];
    member members[MOST_THREADS];
    int others = 0;
    for (int part = 1; part < threads && part < MOST_THREADS; part++) {
        members[part] = (member){&all, part};
        if (pthread_create(&handles[part], NULL, work, &members[part]) != 0) { break; }
        others++;
    }
    while (atomic_load(&all.ready) < others) { tk_pause(); }
    uint64_t begin = tk_nanoseconds();
    atomic_store_explicit(&all.go, true, memory_order_release);
    body(context, 0);
    // Parts that no thread could be made for still have to be done.
    for (int part = others + 1; part < threads; part++) { body(context, part); }
    uint64_t end = tk_nanoseconds();
    for (int part = 1; part <= others; part++) {
        pthread_join(handles[part], NULL);
        end = all.ends[part] > end ? all.ends[part] : end;
    }
    return (double)(end - begin) * 1e-9;
}
