#include "kafka/growth.h"

#include <stdatomic.h>

#include "core/thread.h"
#include "core/xalloc.h"
#include "kafka/meta.h"

enum { EVERY_MS = 3000 };

struct evs_growth {
    struct evs_client *c;
    char *topic;
    atomic_int partitions;
    struct evs_stop stop;
    struct evs_thread *thread;
};

static void look(struct evs_growth *g)
{
    struct evs_err unused = EVS_ERR_INIT;
    struct evs_meta *meta = NULL;
    if (evs_meta_fetch(g->c, g->topic, &meta, &unused))
        return;
    const struct evs_meta_topic *t = &meta->topics[0];
    int32_t n = 0;
    while (n < t->n_partitions && t->partitions[n].partition == n && t->partitions[n].leader >= 0)
        n++;
    if (n > atomic_load(&g->partitions))
        atomic_store(&g->partitions, n);
    evs_meta_free(meta);
}

static void growth_main(void *arg)
{
    struct evs_growth *g = arg;
    while (!evs_stop_wait(&g->stop, EVERY_MS))
        look(g);
}

enum evs_rc evs_growth_start(struct evs_client *c, const char *topic, int32_t partitions,
                             struct evs_growth **ret_g, struct evs_err *err)
{
    struct evs_growth *g = evs_xcalloc(1, sizeof(*g));
    g->c = c;
    g->topic = evs_xstrdup(topic);
    atomic_init(&g->partitions, partitions);
    enum evs_rc rc = evs_stop_init(&g->stop, err);
    if (!rc && evs_thread_start("evs-growth", growth_main, g, &g->thread, err)) {
        rc = err->code;
        evs_stop_done(&g->stop);
    }
    if (rc) {
        evs_free(g->topic);
        evs_free(g);
        return rc;
    }
    *ret_g = g;
    return EVS_OK;
}

int32_t evs_growth_partitions(const struct evs_growth *g)
{
    return g ? atomic_load(&g->partitions) : 0;
}

void evs_growth_free(struct evs_growth *g)
{
    if (!g)
        return;
    evs_stop_raise(&g->stop);
    evs_thread_join(g->thread);
    evs_stop_done(&g->stop);
    evs_free(g->topic);
    evs_free(g);
}
