/* topics_tree.c - topics by <domain>.<entity>.<event>; sums by branch, the worst leaf named. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ui/screens/topics.h"

static const char outside[] = "(not <domain>.<entity>.<event>)";

static const struct evs_column cols[] = {
    {"NAME", 20, 60, 0, EVS_COL_GROW | EVS_COL_COMPACT | EVS_COL_NOSORT, NULL,
     "domain, entity, event"},
    {"TOPICS", 6, 6, 3, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "topics of the branch"},
    {"PART", 4, 6, 4, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "partitions"},
    {"MSGS", 7, 16, 0, EVS_COL_RIGHT | EVS_COL_NOSORT, "span", NULL},
    {"RATE/s", 6, 10, 2, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "messages a second"},
    {"LAST 15 MIN", 15, 15, 1, EVS_COL_CHART, NULL, "messages a second, a column a minute"},
    {"WORST STATE", 11, 40, 0, EVS_COL_COMPACT | EVS_COL_NOSORT, NULL,
     "the worst state of the leaves, and whose it is"},
};

static const char *heading(const void *ctx, int col)
{
    static char msgs[16];
    (void)ctx;
    snprintf(msgs, sizeof(msgs), "MSGS%s", evs_glyph(EVS_G_LE));
    return col == TREE_COL_MSGS ? msgs : NULL;
}

/* Length of the first dot-separated part, or 0 when name is not three or more of them. */
static bool in_scheme(const char *name)
{
    int parts = 1;
    if (*name == '.')
        return false;
    for (const char *p = name; *p; p++)
        if (*p == '.') {
            if (p[1] == '.' || !p[1])
                return false;
            parts++;
        }
    return parts >= 3;
}

static struct topic_node *add_node(struct topics *t)
{
    if (t->n_nodes == t->alloc) {
        t->alloc = t->alloc ? t->alloc * 2 : 64;
        t->nodes = evs_xgrow(t->nodes, t->alloc, sizeof(*t->nodes));
    }
    struct topic_node *n = &t->nodes[t->n_nodes++];
    memset(n, 0, sizeof(*n));
    return n;
}

static void add_branch(struct topics *t, const char *path, size_t len, const char *label,
                       size_t label_len, int depth)
{
    struct topic_node *n = add_node(t);
    snprintf(n->path, sizeof(n->path), "%.*s", (int)len, path);
    snprintf(n->label, sizeof(n->label), "%.*s", (int)label_len, label);
    n->depth = depth;
    n->folded = evs_map_gets(&t->folded, n->path) != NULL;
    n->rate = NAN;
    for (int i = 0; i < EVS_SPARK; i++)
        n->spark[i] = NAN;
}

static void sum_into(const struct topics *t, struct topic_node *n, const struct evs_topic_row *r)
{
    n->topics++;
    n->partitions += r->partitions;
    n->messages = n->messages < 0 || r->messages < 0 ? -1 : n->messages + r->messages;
    if (r->rate >= 0)
        n->rate = n->rate >= 0 ? n->rate + r->rate : r->rate;
    for (int i = 0; i < EVS_SPARK; i++)
        if (r->spark[i] >= 0)
            n->spark[i] = n->spark[i] >= 0 ? n->spark[i] + r->spark[i] : r->spark[i];
    if (!n->worst || topic_rank(t, r) < topic_rank(t, n->worst))
        n->worst = r;
}

static void add_leaf(struct topics *t, const struct evs_topic_row *r, const char *label, int depth)
{
    struct topic_node *n = add_node(t);
    snprintf(n->label, sizeof(n->label), "%s", label);
    n->depth = depth;
    n->row = n->worst = r;
    n->partitions = r->partitions;
    n->messages = r->messages;
    n->rate = r->rate;
    memcpy(n->spark, r->spark, sizeof(n->spark));
}

/* The branches of a name are opened as it differs from the last one; rows come sorted by name. */
static void add_in_scheme(struct topics *t, const struct evs_topic_row *r, size_t open[2])
{
    const char *first = strchr(r->name, '.'), *second = strchr(first + 1, '.');
    size_t domain = (size_t)(first - r->name), entity = (size_t)(second - r->name);
    struct topic_node *top = open[0] == SIZE_MAX ? NULL : &t->nodes[open[0]];
    if (!top || strlen(top->path) != domain || memcmp(top->path, r->name, domain)) {
        add_branch(t, r->name, domain, r->name, domain, 0);
        open[0] = t->n_nodes - 1;
        open[1] = SIZE_MAX;
    }
    sum_into(t, &t->nodes[open[0]], r);
    if (t->nodes[open[0]].folded)
        return;
    struct topic_node *mid = open[1] == SIZE_MAX ? NULL : &t->nodes[open[1]];
    if (!mid || strlen(mid->path) != entity || memcmp(mid->path, r->name, entity)) {
        add_branch(t, r->name, entity, first + 1, entity - domain - 1, 1);
        open[1] = t->n_nodes - 1;
    }
    sum_into(t, &t->nodes[open[1]], r);
    if (!t->nodes[open[1]].folded)
        add_leaf(t, r, second + 1, 2);
}

void topic_tree_build(struct topics *t)
{
    size_t open[2] = {SIZE_MAX, SIZE_MAX}, other = SIZE_MAX;
    t->n_nodes = 0;
    for (int i = 0; t->sn && i < t->sn->n; i++) {
        const struct evs_topic_row *r = &t->sn->rows[i];
        if ((t->all || !topic_internal(r)) && in_scheme(r->name))
            add_in_scheme(t, r, open);
    }
    for (int i = 0; t->sn && i < t->sn->n; i++) {
        const struct evs_topic_row *r = &t->sn->rows[i];
        if ((!t->all && topic_internal(r)) || in_scheme(r->name))
            continue;
        if (other == SIZE_MAX) {
            add_branch(t, outside, sizeof(outside) - 1, outside, sizeof(outside) - 1, 0);
            other = t->n_nodes - 1;
        }
        sum_into(t, &t->nodes[other], r);
        if (!t->nodes[other].folded)
            add_leaf(t, r, r->name, 1);
    }
}

void topic_tree_fold(struct topics *t, int fold)
{
    static char yes;
    size_t at = evs_table_row(&t->tree);
    if (at == SIZE_MAX)
        return;
    const struct topic_node *n = &t->nodes[at];
    if (n->row && fold == 1) /* a leaf: to its branch, and that folds */
        while (at > 0 && t->nodes[at].row)
            at--;
    else if (!n->row && n->folded && fold == 1 && n->depth)
        while (at > 0 && t->nodes[at].depth)
            at--;
    n = &t->nodes[at];
    if (n->row)
        return;
    evs_table_go(&t->tree, at);
    bool to = fold < 0 ? !n->folded : fold;
    if (to)
        *evs_map_puts(&t->folded, n->path) = &yes;
    else
        (void)evs_map_remove(&t->folded, n->path, strlen(n->path));
    topic_tree_build(t);
    evs_table_update(&t->tree);
}

static const struct topic_node *node_at(const void *ctx, size_t row)
{
    return &((const struct topics *)ctx)->nodes[row];
}

static size_t count(const void *ctx)
{
    return ((const struct topics *)ctx)->n_nodes;
}

static void state_field(const struct topics *t, const struct topic_node *n, struct evs_field *f)
{
    char word[EVS_FIELD_TEXT];
    enum evs_role role = topic_state(t, n->worst, word, sizeof(word));
    bool name = !n->row && topic_rank(t, n->worst) < TOPIC_RANK_OK;
    const char *last = strrchr(n->worst->name, '.');
    last = last && in_scheme(n->worst->name) ? last + 1 : n->worst->name;
    if (name)
        evs_field_printf(f, role, "%s (%s)", word, last);
    else
        evs_field_set(f, role, word);
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct topics *t = ctx;
    const struct topic_node *n = node_at(ctx, row);
    char num[EVS_NUM_LEN];
    switch (col) {
    case TREE_COL_NAME:
        evs_field_printf(f, n->row ? EVS_ROLE_TEXT : EVS_ROLE_TEXT_STRONG, "%*s%s%s", 2 * n->depth,
                         "",
                         n->row      ? "  "
                         : n->folded ? "+ "
                                     : "- ",
                         n->label);
        break;
    case TREE_COL_TOPICS:
        if (!n->row)
            evs_field_count(f, EVS_ROLE_TEXT, n->topics);
        break;
    case TREE_COL_PART: evs_field_count(f, EVS_ROLE_TEXT, n->partitions); break;
    case TREE_COL_MSGS:
        evs_field_set(f, EVS_ROLE_NUM_SPAN,
                      f->exact && n->messages >= 0 ? evs_num_commas(num, n->messages)
                                                   : evs_ui_num(t->ui, num, n->messages));
        break;
    case TREE_COL_RATE: evs_field_set(f, EVS_ROLE_TEXT, evs_ui_rate(t->ui, num, n->rate)); break;
    default: state_field(t, n, f); break;
    }
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    (void)col;
    topic_spark(node_at(ctx, row)->spark, v);
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct topic_node *n = node_at(ctx, row);
    uint64_t h = n->row ? 14695981039346656037u : 7;
    for (const char *p = n->row ? n->row->name : n->path; *p; p++)
        h = (h ^ (unsigned char)*p) * 1099511628211u;
    return h;
}

const struct evs_table_ops topic_tree_ops = {
    .cols = cols,
    .n_cols = EVS_COUNT(cols),
    .count = count,
    .field = field,
    .chart = chart,
    .id = id,
    .heading = heading,
};
