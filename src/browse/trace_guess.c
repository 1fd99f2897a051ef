/* trace_guess.c - which partitions can hold a key. */
#include <math.h>
#include <string.h>

#include "browse/trace_int.h"
#include "core/map.h"
#include "core/xalloc.h"
#include "kafka/reader.h"
#include "stats/partitioner.h"

enum { SAMPLE = 64, MIN_PAIRS = 8 };

struct sample {
    int32_t partitions;
    struct evs_map seen; /* partition and key: each pair counts once */
    int64_t records;
    struct evs_trace_fit fit;
};

static bool on_event(void *ctx, int worker, struct evs_event *ev)
{
    struct sample *s = ctx;
    (void)worker;
    s->records++;
    if (!ev->key || !ev->key_len)
        return true;
    char *pair = evs_xmalloc(ev->key_len + sizeof(ev->partition));
    memcpy(pair, &ev->partition, sizeof(ev->partition));
    memcpy(pair + sizeof(ev->partition), ev->key, ev->key_len);
    void **place = evs_map_put(&s->seen, pair, ev->key_len + sizeof(ev->partition));
    evs_free(pair);
    if (*place)
        return true;
    *place = s;
    s->fit.pairs++;
    bool fit[EVS_PARTITIONERS];
    for (int i = 0; i < EVS_PARTITIONERS; i++) {
        fit[i] = evs_partitioner_of(evs_partitioners[i], ev->key, ev->key_len, s->partitions) ==
                 ev->partition;
        s->fit.one[i] += fit[i];
    }
    for (int i = 0; i < EVS_PARTITIONERS; i++)
        for (int j = 0; j < EVS_PARTITIONERS; j++)
            s->fit.either[i][j] += fit[i] || fit[j];
    return true;
}

static void candidate(struct evs_trace_guess *g, int i, int32_t partitions, const void *key,
                      size_t n)
{
    int32_t p = evs_partitioner_of(evs_partitioners[i], key, n, partitions);
    for (int k = 0; k < g->n; k++)
        if (g->candidates[k].partition == p)
            return;
    g->candidates[g->n++] = (struct evs_trace_candidate){evs_partitioners[i]->name, p, true};
}

void evs_trace_decide(const struct evs_trace_fit *fit, int32_t partitions, const void *key,
                      size_t key_len, struct evs_trace_guess *g)
{
    int best = 0, first = 0, second = 0;
    for (int i = 1; i < EVS_PARTITIONERS; i++)
        best = fit->one[i] > fit->one[best] ? i : best;
    for (int i = 0; i < EVS_PARTITIONERS; i++)
        for (int j = i + 1; j < EVS_PARTITIONERS; j++)
            if (fit->either[i][j] > fit->either[first][second]) {
                first = i;
                second = j;
            }
    g->n = 0;
    if (partitions == 1) {
        g->verdict = "one partition";
        g->candidates[g->n++] = (struct evs_trace_candidate){"only", 0, true};
        return;
    }
    double total = (double)fit->pairs;
    if (fit->pairs >= MIN_PAIRS && (double)fit->one[best] >= 0.98 * total) {
        g->verdict = evs_partitioners[best]->name;
        candidate(g, best, partitions, key, key_len);
        return;
    }
    if (fit->pairs >= MIN_PAIRS && (double)fit->either[first][second] >= 0.98 * total) {
        g->verdict = "mixed";
        candidate(g, first, partitions, key, key_len);
        candidate(g, second, partitions, key, key_len);
        return;
    }
    g->verdict = fit->pairs >= MIN_PAIRS ? "custom" : "unknown";
    candidate(g, 0, partitions, key, key_len);
    candidate(g, 1, partitions, key, key_len);
}

enum evs_rc evs_trace_guess_of(struct evs_client *c, const struct evs_ranges *ranges,
                               const void *key, size_t key_len, struct evs_trace_guess *g,
                               struct evs_err *err)
{
    struct sample s = {.partitions = ranges->topic_partitions, .seen = EVS_MAP_INIT};
    struct evs_ranges *ends = evs_ranges_copy(ranges);
    enum evs_rc rc = EVS_OK;
    if (s.partitions > 1) {
        for (size_t i = 0; i < ends->n; i++) {
            struct evs_range *r = &ends->parts[i];
            r->to = r->lso < r->high ? r->lso : r->high;
            r->from = r->to - r->low > SAMPLE ? r->to - SAMPLE : r->low;
        }
        static const struct evs_reader_ops ops = {.event = on_event};
        struct evs_reader_opts ro = {.profile = EVS_READER_BROWSE, .workers = 1};
        struct evs_reader *r = NULL;
        rc = evs_reader_start(c, ends, &ro, &ops, &s, &r, err);
        if (!rc) {
            rc = evs_reader_wait(r, -1, err);
            rc = rc == EVS_EOF ? EVS_OK : rc;
            evs_reader_free(r);
        }
    }
    evs_ranges_free(ends);
    evs_map_done(&s.seen, NULL);
    if (rc)
        return rc;
    g->sampled = s.records;
    evs_trace_decide(&s.fit, s.partitions, key, key_len, g);
    return EVS_OK;
}
