#include "ui/history.h"

#include <string.h>

#include "core/xalloc.h"

struct evs_history *evs_history_of(struct evs_histories *h, const char *name)
{
    void **at = evs_map_puts(&h->by_name, name);
    if (!*at)
        *at = evs_xcalloc(1, sizeof(struct evs_history));
    return *at;
}

static void take_out(struct evs_history *h, size_t i)
{
    evs_free(h->line[i]);
    memmove(&h->line[i], &h->line[i + 1], (h->n - i - 1) * sizeof(h->line[0]));
    h->n--;
}

void evs_history_add(struct evs_history *h, const char *line)
{
    if (!*line)
        return;
    for (size_t i = 0; i < h->n; i++)
        if (!strcmp(h->line[i], line)) {
            take_out(h, i);
            break;
        }
    if (h->n == EVS_HISTORY_MAX)
        take_out(h, 0);
    h->line[h->n++] = evs_xstrdup(line);
}

static void free_history(void *v)
{
    struct evs_history *h = v;
    while (h->n)
        take_out(h, h->n - 1);
    evs_free(h);
}

void evs_histories_done(struct evs_histories *h)
{
    evs_map_done(&h->by_name, free_history);
}
