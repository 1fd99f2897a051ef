/* partitions.c - Partitions of a topic: load, health and time span, without reading a message. */
#include "ui/screens/partitions.h"

#include <stdio.h>
#include <string.h>

#include "ui/task.h"

static struct partitions *of(const struct evs_screen *s)
{
    return s->state;
}

/* --- the sentences -------------------------------------------------------------------------- */

static struct evs_verdict *next(struct partitions *p)
{
    return p->n_verdicts < VERDICTS ? &p->verdicts[p->n_verdicts++] : NULL;
}

static void say_load(struct partitions *p)
{
    const struct evs_partition_row *top = NULL;
    char share[EVS_NUM_LEN];
    for (int i = 0; i < p->sn->n; i++)
        if (p->sn->rows[i].share >= 0 && (!top || p->sn->rows[i].share > top->share))
            top = &p->sn->rows[i];
    if (!top || !p->sn->messages || p->sn->n < 2)
        return;
    double times = top->share * p->sn->n;
    struct evs_verdict *d = next(p);
    if (!d)
        return;
    if (times < 1.5) {
        evs_verdict_say(d, EVS_VERDICT_GOOD, "Even: no partition is above %.1f%s its fair share.",
                        times, evs_glyph(EVS_G_TIMES));
        return;
    }
    evs_verdict_say(d, times >= 3 ? EVS_VERDICT_CRITICAL : EVS_VERDICT_WARN,
                    "p%d holds %s of the messages, %.1f%s its fair share%s.", top->partition,
                    evs_num_share(share, top->share), times, evs_glyph(EVS_G_TIMES),
                    evs_screen_known("keys") ? " (K: which keys)" : "");
}

static void say_health(struct partitions *p)
{
    char waiting[EVS_NUM_LEN], since[EVS_NUM_LEN];
    for (int i = 0; i < p->sn->n; i++) {
        const struct evs_partition_row *r = &p->sn->rows[i];
        bool wrong = r->leader < 0 || (r->status < EVS_PARTITION_OK && p->sn->offsets);
        struct evs_verdict *d = wrong ? next(p) : NULL;
        if (!d)
            continue;
        if (r->status == EVS_PARTITION_UNDER_REPLICATED) {
            evs_verdict_say(d, EVS_VERDICT_WARN, "p%d has %d of %d replicas in sync.", r->partition,
                            r->n_isr, r->n_replicas);
        } else if (r->status == EVS_PARTITION_OPEN_TXN) {
            bool known = r->open_txn_since_ms >= 0;
            evs_num_moment(since, known ? r->open_txn_since_ms : 0, p->ui->now_ms, 1000);
            evs_verdict_say(d, EVS_VERDICT_WARN,
                            "p%d: %s messages wait behind an open transaction%s%s.", r->partition,
                            evs_num_commas(waiting, r->high - r->lso), known ? " since " : "",
                            known ? since : "");
        } else {
            evs_verdict_say(d, EVS_VERDICT_CRITICAL, "p%d: %s.", r->partition,
                            r->error ? r->error : "no leader");
        }
    }
}

static void lay_out(struct evs_screen *s)
{
    struct partitions *p = of(s);
    int most = s->rows >= 16 ? 3 : s->rows >= 10 ? 1 : 0;
    int rows = evs_verdict_draw(NULL, 0, most, s->cols, p->verdicts, p->n_verdicts);
    p->head = rows ? rows + (s->rows >= 16) : 0;
    evs_table_resize(&p->table, s->rows - p->head);
}

static void conclude(struct evs_screen *s)
{
    struct partitions *p = of(s);
    p->n_verdicts = 0;
    say_load(p);
    say_health(p);
    lay_out(s);
}

/* --- the screen ----------------------------------------------------------------------------- */

static void free_poller(void *poller)
{
    evs_partitions_poller_free(poller);
}

static void stop_poller(struct partitions *p)
{
    evs_task_retire("partitions", free_poller, p->poller);
    evs_snap_unref(p->sn ? &p->sn->snap : NULL);
    partitions_unmeasure(p);
    p->poller = NULL;
    p->sn = NULL;
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct partitions *p = of(s);
    p->ui = s->ui;
    p->want = s->at.partition;
    evs_table_init(&p->table, &partitions_table_ops, p, COL_MSGS, COL_SHARE, true);
    return evs_partitions_poller_start(evs_ui_client(s->ui), s->at.topic, POLL_MS,
                                       evs_ui_wake(s->ui), &p->poller, err);
}

static void leave(struct evs_screen *s)
{
    struct partitions *p = of(s);
    evs_table_done(&p->table);
    stop_poller(p);
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)rows;
    (void)n_cols;
    lay_out(s);
}

static bool refresh(struct evs_screen *s)
{
    struct partitions *p = of(s);
    struct evs_partitions_sn *sn =
        evs_partitions_take(p->poller, p->sn ? p->sn->snap.generation : 0);
    bool sized = partitions_measured(p);
    if (sized)
        evs_table_update(&p->table);
    if (!sn)
        return sized;
    evs_snap_unref(p->sn ? &p->sn->snap : NULL);
    p->sn = sn;
    conclude(s);
    evs_table_update(&p->table);
    if (p->want >= 0 && sn->n && evs_table_go_id(&p->table, (uint64_t)p->want))
        p->want = -1;
    return true;
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct partitions *p = of(s);
    if (p->head)
        evs_verdict_draw(v, 0, p->head, v->cols, p->verdicts, p->n_verdicts);
    struct evs_view at = evs_view_sub(v, p->head, 0, v->rows - p->head, v->cols);
    if (!p->sn || (!p->sn->n && !p->sn->error))
        evs_view_printf(v, 0, 2, EVS_ROLE_TEXT_DIM, "asking for the partitions %s",
                        evs_glyph(EVS_G_MORE));
    else if (p->sn->n && p->sn->offsets && !p->sn->messages && p->sn->complete)
        evs_view_printf(&at, at.rows - 1, 2, EVS_ROLE_TEXT,
                        "%d partition%s, no messages yet. F waits for the first one.", p->sn->n,
                        p->sn->n == 1 ? "" : "s");
    evs_table_draw(&p->table, &at);
}

static void describe(const struct partitions *p, const struct evs_screen *s, struct evs_bands *b)
{
    const char *dot = evs_glyph(EVS_G_DOT);
    char keep[64] = "", ago[EVS_NUM_LEN];
    if (p->sn->retention_ms > 0)
        snprintf(keep, sizeof(keep), ", %s", evs_num_width(ago, p->sn->retention_ms));
    (void)s;
    evs_bands_say(b->right, sizeof(b->right), "%d partition%s %s %d replica%s%s%s%s%s%s", p->sn->n,
                  p->sn->n == 1 ? "" : "s", dot, p->sn->replicas, p->sn->replicas == 1 ? "" : "s",
                  p->sn->cleanup_policy ? " " : "", p->sn->cleanup_policy ? dot : "",
                  p->sn->cleanup_policy ? " " : "",
                  p->sn->cleanup_policy ? p->sn->cleanup_policy : "", keep);
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct partitions *p = of(s);
    evs_bands_crumb(b, "Topics", s->at.topic);
    b->live = !p->paused;
    if (!p->sn)
        return;
    describe(p, s, b);
    if (p->sn->error) {
        char since[EVS_NUM_LEN];
        b->role = EVS_ROLE_BAD;
        evs_num_moment(since, p->sn->at_ms, p->ui->now_ms, 1000);
        evs_bands_say(b->left, sizeof(b->left), "%s%s%s%s", p->sn->n ? "as of " : "",
                      p->sn->n ? since : "", p->sn->n ? ": " : "", p->sn->error);
        evs_bands_say(b->value, sizeof(b->value), "%s", p->sn->hint ? p->sn->hint : "");
        return;
    }
    size_t row = evs_table_row(&p->table);
    if (p->bytes && (p->table.col == COL_MSGS || p->table.col == COL_SHARE)) {
        snprintf(b->tag, sizeof(b->tag), "~");
        evs_bands_say(b->left, sizeof(b->left),
                      p->sizes ? "messages times the mean size of %lld that were read"
                               : "reading some messages to know their size",
                      p->sizes ? (long long)p->sizes->records : 0LL);
    } else if (p->table.col == COL_MSGS)
        evs_bands_say(b->left, sizeof(b->left), "MSGS%s is high %s low", evs_glyph(EVS_G_LE),
                      evs_glyph(EVS_G_MINUS));
    if (row != SIZE_MAX) {
        struct evs_field f;
        evs_table_field(&p->table, row, p->table.col, true, &f);
        char hot[120] = "", num[EVS_NUM_LEN], at[EVS_NUM_LEN];
        int32_t nth = p->sn->rows[row].partition;
        const struct evs_known *k = evs_data_known(p->ui, s->at.topic);
        if (k && nth < k->n && p->table.col == COL_MSGS && !p->bytes) {
            evs_num_moment(at, k->at_ms, p->ui->now_ms, 60000);
            snprintf(hot, sizeof(hot), ", of which %s are one key (scan of %s)",
                     evs_num_commas(num, k->part[nth].hot), at);
        }
        evs_bands_say(b->value, sizeof(b->value), "p%d %.*s%s", nth, (int)f.n, f.p, hot);
    }
    evs_bands_table(b, &p->table, COL_P);
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct partitions *p = of(s);
    size_t row = evs_table_row(&p->table);
    if (row != SIZE_MAX)
        to->partition = p->sn->rows[row].partition;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct partitions *p = of(s);
    struct evs_place at = EVS_PLACE_INIT;
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_FOLLOW:
        evs_place_copy(&at, &s->at);
        place(s, &at);
        if (c == EVS_CMD_FOLLOW)
            evs_place_set(&at.text, "follow");
        evs_ui_open(s->ui, "messages", &at);
        evs_place_done(&at);
        return EVS_HANDLED;
    case EVS_CMD_PAUSE:
    case EVS_CMD_CONTINUE:
        p->paused = c == EVS_CMD_PAUSE && !p->paused;
        evs_partitions_pause(p->poller, p->paused);
        evs_ui_say(s->ui, EVS_ROLE_STATUS, p->paused ? "paused: p goes on" : "every 2 s");
        return EVS_HANDLED;
    case EVS_CMD_UNIT:
        p->bytes = !p->bytes;
        if (p->bytes)
            partitions_measure(p);
        evs_table_update(&p->table);
        return EVS_HANDLED;
    case EVS_CMD_REFRESH:
        evs_partitions_refresh(p->poller);
        evs_ui_say(s->ui, EVS_ROLE_STATUS, "asking the cluster again");
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct partitions *p = of(s);
    if (c == EVS_CMD_SIBLING_PREV || c == EVS_CMD_SIBLING_NEXT)
        return evs_data_has_topic(s->ui, s->at.topic) && evs_data_topic_name(s->ui, 1);
    bool row = c == EVS_CMD_OPEN || c == EVS_CMD_FOLLOW || c == EVS_CMD_FILTER;
    return !row || evs_table_row(&p->table) != SIZE_MAX;
}

/* The next topic by name, as the Topics screen knows them. */
static bool sibling(struct evs_screen *s, int step)
{
    struct partitions *p = of(s);
    size_t n = 0, here = SIZE_MAX;
    for (; evs_data_topic_name(s->ui, n); n++)
        if (!strcmp(evs_data_topic_name(s->ui, n), s->at.topic))
            here = n;
    if (here == SIZE_MAX || n < 2)
        return false;
    struct evs_err err = EVS_ERR_INIT;
    const char *name = evs_data_topic_name(s->ui, (here + n + (size_t)(step < 0 ? n - 1 : 1)) % n);
    evs_place_set(&s->at.topic, name);
    s->at.partition = -1;
    stop_poller(p);
    p->n_verdicts = 0;
    evs_table_clear_filter(&p->table);
    if (evs_partitions_poller_start(evs_ui_client(s->ui), name, POLL_MS, evs_ui_wake(s->ui),
                                    &p->poller, &err))
        evs_ui_fail(s->ui, &err);
    lay_out(s);
    return true;
}

static struct evs_table *table(struct evs_screen *s)
{
    return &of(s)->table;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    return evs_buf_printf(out, "partitions %s", s->at.topic);
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct partitions *p = of(s);
    struct evs_view v = {&s->ui->surface, 0, 0, s->rows - p->head, s->cols, EVS_ROLE_N};
    return row >= p->head && evs_table_click(&p->table, &v, row - p->head, col);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "messages"),
                                        EVS_HINT(GO_KEYS, "keys"),
                                        EVS_HINT(GO_HEAT, "heat"),
                                        EVS_HINT(GO_LAG, "lag"),
                                        EVS_HINT(REPLAY, "replay"),
                                        EVS_HINT(UNIT, "bytes"),
                                        EVS_HINT(FOLLOW, "tail"),
                                        EVS_HINT(PAUSE, "pause"),
                                        EVS_HINT2(SIBLING_PREV, SIBLING_NEXT, "topic"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_partitions = {
    .name = "partitions",
    .title = "Partitions",
    .about = "load, health and time span of each partition",
    .state_size = sizeof(struct partitions),
    .needs_topic = true,
    .hints = hints,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = draw,
    .leave = leave,
    .bands = bands,
    .command = command,
    .can = can,
    .table = table,
    .place = place,
    .sibling = sibling,
    .command_line = command_line,
    .click = click,
};
