/* cluster_led.c - the topics of which a broker leads partitions. */
#include <stdio.h>
#include <string.h>

#include "kafka/meta.h"
#include "ui/screens/cluster.h"

enum { COL_TOPIC, COL_N, COL_LIST };

static const struct evs_column cols[] = {
    {"TOPIC", 12, 80, 0, EVS_COL_MIDDLE | EVS_COL_COMPACT, "exact", "the topic"},
    {"LEADS", 5, 8, 0, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "partitions of it that it leads"},
    {"PARTITIONS", 10, 400, 1, EVS_COL_GROW | EVS_COL_NOSORT, "exact", "those partitions"},
};

void cluster_find_led(struct cluster *c)
{
    c->n_led = 0;
    if (!c->sn || !c->open)
        return;
    c->led = evs_xgrow(c->led, (size_t)c->sn->meta->n_topics + 1, sizeof(*c->led));
    for (int t = 0; t < c->sn->meta->n_topics; t++) {
        struct led l = {.topic = &c->sn->meta->topics[t]};
        for (int p = 0; p < l.topic->n_partitions; p++)
            l.n += l.topic->partitions[p].leader == c->of;
        if (l.n)
            c->led[c->n_led++] = l;
    }
    evs_table_update(&c->topics);
}

int32_t cluster_led_first(const struct cluster *c, const struct led *l)
{
    for (int p = 0; p < l->topic->n_partitions; p++)
        if (l->topic->partitions[p].leader == c->of)
            return l->topic->partitions[p].partition;
    return -1;
}

const struct led *cluster_led_row(const struct cluster *c)
{
    size_t row = evs_table_row(&c->topics);
    return row == SIZE_MAX ? NULL : &c->led[row];
}

static size_t count(const void *ctx)
{
    return ((const struct cluster *)ctx)->n_led;
}

static const struct led *row_at(const void *ctx, size_t row)
{
    return &((const struct cluster *)ctx)->led[row];
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct cluster *c = ctx;
    const struct led *l = row_at(ctx, row);
    if (col == COL_TOPIC) {
        evs_field_set(f, EVS_ROLE_TEXT, l->topic->name);
    } else if (col == COL_N) {
        evs_field_printf(f, EVS_ROLE_TEXT, "%d", l->n);
    } else {
        char text[EVS_FIELD_TEXT] = "";
        size_t n = 0;
        for (int p = 0; p < l->topic->n_partitions && n + 14 < sizeof(text); p++)
            if (l->topic->partitions[p].leader == c->of)
                n += (size_t)snprintf(text + n, sizeof(text) - n, "%sp%d", n ? " " : "",
                                      l->topic->partitions[p].partition);
        evs_field_set(f, EVS_ROLE_TEXT, text);
    }
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct led *la = row_at(ctx, a), *lb = row_at(ctx, b);
    return col == COL_N ? (la->n > lb->n) - (la->n < lb->n)
                        : strcmp(la->topic->name, lb->topic->name);
}

static uint64_t id(const void *ctx, size_t row)
{
    uint64_t h = 5381;
    for (const char *p = row_at(ctx, row)->topic->name; *p; p++)
        h = h * 33 + (uint8_t)*p;
    return h;
}

const struct evs_table_ops cluster_led_ops = {.cols = cols,
                                              .n_cols = EVS_COUNT(cols),
                                              .count = count,
                                              .field = field,
                                              .compare = compare,
                                              .id = id};
