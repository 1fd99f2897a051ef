/* whatif.c - the smallest change that removes the hot spot, and its price. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "keys/print.h"
#include "keys/scan.h"
#include "ui/app.h"
#include "ui/screens/whatif_int.h"

enum { W_STRATEGY, W_RATIO, W_PEAK, W_HOTTEST, W_SPREAD, W_ORDER, W_CHANGES };
static const struct evs_whatif *row_of(const struct whatif *w, size_t row)
{
    return row == 0 ? &w->all->now : &w->all->w[row - 1];
}

const struct evs_whatif *evs_whatif_selected(const struct whatif *w)
{
    size_t row = w->all ? evs_table_row(&w->table) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : row_of(w, row);
}

/* --- table --- */

static size_t count(const void *ctx)
{
    const struct whatif *w = ctx;
    return w->all ? w->all->n + 1 : 0;
}

static void ratio_field(const struct whatif *w, const struct evs_whatif *x, double v,
                        struct evs_field *f)
{
    if (isnan(v)) {
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        return;
    }
    enum evs_role role = v <= w->target ? EVS_ROLE_OK : v >= 3 ? EVS_ROLE_BAD : EVS_ROLE_TEXT;
    bool range = f->exact && x->estimate && x->high > x->low;
    if (range)
        evs_field_printf(f, role, "%.2f (%.2f to %.2f)", v, x->low, x->high);
    else
        evs_field_printf(f, role, f->exact ? "%.3f%s" : "%.1f%s", v, evs_glyph(EVS_G_TIMES));
}

static void order_field(const struct evs_whatif *x, struct evs_field *f)
{
    if (isnan(x->broken_pair_share))
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
    else if (x->broken_pairs)
        evs_field_printf(f, EVS_ROLE_WARN, "%.1f %% lost", 100 * x->broken_pair_share);
    else
        evs_field_set(f, EVS_ROLE_TEXT, x->ordering);
}

static void peak_field(const struct whatif *w, const struct evs_whatif *x, struct evs_field *f)
{
    if (isnan(x->peak) && x->peak_unknown && f->exact) {
        evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, x->peak_unknown);
        return;
    }
    if (!x->peak_estimate) {
        ratio_field(w, x, x->peak, f);
        return;
    }
    evs_field_printf(f, x->peak <= w->target ? EVS_ROLE_OK : EVS_ROLE_NUM_EST,
                     f->exact ? "~%.2f%s" : "~%.1f%s", x->peak, evs_glyph(EVS_G_TIMES));
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct whatif *w = ctx;
    const struct evs_whatif *x = row_of(w, row);
    char n[EVS_NUM_LEN];
    switch (col) {
    case W_STRATEGY:
        evs_field_printf(f, x->smallest ? EVS_ROLE_TEXT_STRONG : EVS_ROLE_TEXT, "%s%s%s",
                         x->strategy, x->placement ? ", " : "", x->placement ? x->placement : "");
        break;
    case W_RATIO: ratio_field(w, x, x->max_over_mean, f); break;
    case W_PEAK: peak_field(w, x, f); break;
    case W_HOTTEST:
        if (!isnan(x->hot_key_share))
            evs_field_printf(f, EVS_ROLE_TEXT, "%.1f %%", 100 * x->hot_key_share);
        break;
    case W_SPREAD:
        if (!isnan(x->partitions_per_hot_key))
            evs_field_printf(f, EVS_ROLE_TEXT, "%.0f", x->partitions_per_hot_key);
        break;
    case W_ORDER: order_field(x, f); break;
    default:
        if (x->keys_changed == 1)
            evs_field_set(f, EVS_ROLE_TEXT, "1 key");
        else if (x->keys_changed)
            evs_field_printf(f, EVS_ROLE_TEXT, "%s keys",
                             f->exact ? evs_num_commas(n, (int64_t)x->keys_changed)
                                      : evs_ui_num(w->ui, n, (int64_t)x->keys_changed));
        break;
    }
}

static int by_number(double x, double y)
{
    x = isnan(x) ? INFINITY : x;
    y = isnan(y) ? INFINITY : y;
    return (x > y) - (x < y);
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct evs_whatif *x = row_of(ctx, a), *y = row_of(ctx, b);
    switch (col) {
    case W_STRATEGY: return strcmp(x->strategy, y->strategy);
    case W_RATIO: return by_number(x->max_over_mean, y->max_over_mean);
    case W_PEAK: return by_number(x->peak, y->peak);
    case W_HOTTEST: return by_number(x->hot_key_share, y->hot_key_share);
    case W_SPREAD: return by_number(x->partitions_per_hot_key, y->partitions_per_hot_key);
    case W_ORDER: return by_number(x->broken_pair_share, y->broken_pair_share);
    default: return by_number((double)x->keys_changed, (double)y->keys_changed);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct evs_whatif *x = row_of(ctx, row);
    uint64_t h = x->placement && x->placement[0] == 'r' ? 17 : 5;
    for (const char *c = x->strategy; *c; c++)
        h = (h ^ (uint8_t)*c) * UINT64_C(1099511628211);
    return h;
}

static const struct evs_column cols[] = {
    {"STRATEGY", 21, 30, 0, EVS_COL_GROW | EVS_COL_COMPACT, NULL, "what would be changed"},
    {"MAX/MEAN", 6, 9, 0, EVS_COL_RIGHT | EVS_COL_COMPACT, "exact",
     "load of the busiest partition over the mean, afterwards"},
    {"PEAK", 5, 7, 4, EVS_COL_RIGHT, "exact", "the same in the worst slice of time"},
    {"HOTTEST", 6, 8, 1, EVS_COL_RIGHT, "exact", "share of the heaviest key on one partition"},
    {"P/KEY", 5, 6, 2, EVS_COL_RIGHT, "exact", "partitions that a changed key lies on"},
    {"ORDER (PAIRS)", 8, 20, 0, 0, "exact", "successive messages of one key that would part"},
    {"CHANGES", 7, 12, 3, EVS_COL_RIGHT, "exact", "keys that move or are written otherwise"}};
static const struct evs_table_ops table_ops = {cols,    7, 1, count, field, .compare = compare,
                                               .id = id};

/* --- life --- */

/* One's own strategies look at every key: a task does it, on its own reference to the snapshot. */
struct own_work {
    struct evs_scan_sn *sn;
    double target;
    char *extra[WHATIF_EXTRA];
    size_t n_extra;
};

struct whatif_own {
    struct evs_snap snap;
    struct evs_whatifs *all;
};

static void own_free(struct evs_snap *snap)
{
    evs_whatifs_free(((struct whatif_own *)snap)->all);
    evs_free(snap);
}

static void work_free(void *ctx)
{
    struct own_work *o = ctx;
    for (size_t i = 0; i < o->n_extra; i++)
        evs_free(o->extra[i]);
    evs_snap_unref(&o->sn->snap);
    evs_free(o);
}

static void work(struct evs_task *t, void *ctx)
{
    struct own_work *o = ctx;
    struct whatif_own *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, own_free);
    sn->all = evs_whatif_all(o->sn->ks, o->sn->report, o->target, (const char *const *)o->extra,
                             o->n_extra);
    evs_task_publish(t, &sn->snap);
}

static void show(struct whatif *w)
{
    evs_table_update(&w->table);
    for (size_t i = 0; !w->placed && i < w->all->n; i++)
        if (w->all->w[i].smallest)
            evs_table_go_id(&w->table, id(w, i + 1));
    w->placed = true;
    if (w->want && evs_table_go_id(&w->table, w->want))
        w->want = 0;
}

static void forget_own(struct whatif *w)
{
    if (w->own)
        evs_snap_unref(&w->own->snap);
    w->own = NULL;
}

/* What is shown stays until the answer comes. */
static void recompute(struct whatif *w)
{
    struct evs_scan_sn *sn = w->seen.sn;
    if (!sn || !sn->what_if)
        return;
    evs_task_drop(w->task);
    w->task = NULL;
    if (w->n_extra || w->target != sn->what_if->target) {
        struct own_work *o = evs_xcalloc(1, sizeof(*o));
        evs_snap_ref(&sn->snap);
        o->sn = sn;
        o->target = w->target;
        for (; o->n_extra < w->n_extra; o->n_extra++)
            o->extra[o->n_extra] = evs_xstrdup(w->extra[o->n_extra]);
        w->task = evs_task_start("what-if", work, o, work_free, evs_ui_wake(w->ui));
    } else {
        forget_own(w);
    }
    w->all = w->own ? w->own->all : sn->what_if;
    show(w);
}

static bool take_own(struct whatif *w)
{
    struct whatif_own *own = (struct whatif_own *)evs_task_take(w->task, 0);
    if (!own)
        return false;
    forget_own(w);
    w->own = own;
    w->all = own->all;
    evs_task_drop(w->task);
    w->task = NULL;
    show(w);
    return true;
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct whatif *w = s->state;
    (void)err;
    w->ui = s->ui;
    w->target = EVS_WHATIF_TARGET;
    w->scan = evs_ui_scan_open(s->ui, &s->at);
    evs_table_init(&w->table, &table_ops, w, W_RATIO, -1, false);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct whatif *w = s->state;
    for (size_t i = 0; i < w->n_extra; i++)
        evs_free(w->extra[i]);
    evs_table_done(&w->table);
    evs_task_drop(w->task);
    forget_own(w);
    evs_ui_scan_forget(&w->seen);
    evs_ui_scan_close(w->scan);
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)n_cols;
    evs_table_resize(&((struct whatif *)s->state)->table, rows > 8 ? rows - 6 : rows);
}

static bool refresh(struct evs_screen *s)
{
    struct whatif *w = s->state;
    struct evs_ui_scan_seen before = w->seen;
    if (before.sn) /* what is shown may lie in it */
        evs_snap_ref(&before.sn->snap);
    bool news = evs_ui_scan_take(w->scan, &w->seen);
    if (news && w->seen.sn && !w->seen.sn->what_if && before.sn) { /* reading on: keep the last */
        evs_ui_scan_forget(&w->seen);
        w->seen = before;
        before.sn = NULL;
    } else if (news) {
        if (!w->own)
            w->all = NULL;
        recompute(w);
    }
    evs_ui_scan_forget(&before);
    return take_own(w) || news;
}

/* --- keys --- */

static bool add_strategy(struct whatif *w, const char *text)
{
    if (w->n_extra == WHATIF_EXTRA)
        return false;
    for (size_t i = 0; i < w->n_extra; i++)
        if (!strcmp(w->extra[i], text))
            return true;
    w->extra[w->n_extra++] = evs_xstrdup(text);
    recompute(w);
    return true;
}

/* The row's number one up or down, as a row of its own. */
static bool step(struct whatif *w, int by)
{
    const struct evs_whatif *x = evs_whatif_selected(w);
    const char *colon = x ? strchr(x->strategy, ':') : NULL;
    struct evs_err err = EVS_ERR_INIT;
    int64_t n;
    if (!colon)
        return false;
    size_t len = strcspn(colon + 1, ":");
    char *number = evs_xstrndup(colon + 1, len);
    enum evs_rc rc = evs_num_i64(number, 1, 100000, &n, &err);
    evs_free(number);
    if (rc || n + by < 2)
        return false;
    char *name =
        evs_xprintf("%.*s:%lld%s%s", (int)(colon - x->strategy), x->strategy, (long long)(n + by),
                    colon + 1 + len, x->placement && x->placement[0] == 'r' ? ":random" : "");
    bool ok = add_strategy(w, name);
    char *end = strstr(name, ":random");
    uint64_t want = end ? 17 : 5;
    for (const char *c = name; *c && c != end; c++)
        want = (want ^ (uint8_t)*c) * UINT64_C(1099511628211);
    evs_free(name);
    w->want = ok && !evs_table_go_id(&w->table, want) ? want : 0;
    return ok;
}

static bool typed_ok(void *ctx, const char *text, char say[EVS_PROMPT_SAY])
{
    struct evs_err err = EVS_ERR_INIT;
    double target = 0;
    (void)ctx;
    bool ok = strncmp(text, "target ", 7) == 0
                  ? evs_num_double(text + 7, &target, &err) == EVS_OK && target > 1
                  : evs_whatif_check(text, &err) == EVS_OK;
    evs_bands_say(say, EVS_PROMPT_SAY, "%s", ok || !*text ? "" : err.msg);
    return ok || !*text;
}

static bool typed(void *ctx, const char *text)
{
    struct evs_screen *s = ctx;
    struct whatif *w = s->state;
    char say[EVS_PROMPT_SAY];
    struct evs_err err = EVS_ERR_INIT;
    if (!*text)
        return true;
    if (!typed_ok(ctx, text, say))
        return false;
    if (strncmp(text, "target ", 7) != 0)
        return add_strategy(w, text);
    if (evs_num_double(text + 7, &w->target, &err))
        return false;
    w->placed = false;
    recompute(w);
    return true;
}

/* `:target 1.1`, `:what-if composite:day` */
static bool line(struct evs_screen *s, const char *text)
{
    char say[EVS_PROMPT_SAY] = "";
    if (strncmp(text, "target ", 7) != 0 && strncmp(text, "what-if ", 8) != 0)
        return false;
    text += strncmp(text, "what-if ", 8) ? 0 : 8;
    if (!typed_ok(s, text, say))
        evs_ui_say(s->ui, EVS_ROLE_WARN, "%s", say[0] ? say : "a target is a number above 1");
    else
        (void)typed(s, text);
    return true;
}

static void ask_strategy(struct evs_screen *s)
{
    evs_ui_prompt(s->ui, &(struct evs_prompt_spec){
                             .label = "what-if",
                             .history = "whatif",
                             .hints = "Enter add  partitions:N  shards:N  composite:day  "
                                      "target 1.1  Esc cancel",
                             .changed = typed_ok,
                             .done = typed,
                             .ctx = s});
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct whatif *w = s->state;
    switch (c) {
    case EVS_CMD_MORE:
    case EVS_CMD_LESS: (void)step(w, c == EVS_CMD_MORE ? 1 : -1); return EVS_HANDLED;
    case EVS_CMD_JUMP: ask_strategy(s); return EVS_HANDLED;
    case EVS_CMD_OPEN:
        if (!evs_whatif_selected(w))
            return EVS_IGNORED;
        evs_ui_open(s->ui, "keys", &s->at);
        return EVS_HANDLED;
    case EVS_CMD_CONTINUE: return evs_ui_scan_continue(w->scan) ? EVS_HANDLED : EVS_IGNORED;
    case EVS_CMD_REFRESH: evs_ui_scan_again(w->scan); return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct whatif *w = s->state;
    const struct evs_whatif *x = evs_whatif_selected(w);
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_COPY:
    case EVS_CMD_TRACE:
    case EVS_CMD_JUMP:
    case EVS_CMD_SAVE_ALL: return x != NULL;
    case EVS_CMD_MORE: return x && strpbrk(x->strategy, "0123456789");
    case EVS_CMD_CONTINUE: return evs_ui_scan_can_continue(w->scan);
    default: return true;
    }
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct whatif *w = s->state;
    const struct evs_scan_sn *sn = w->seen.sn;
    const struct evs_key_detail *k = !sn                 ? NULL
                                     : sn->report->n_hot ? sn->report->hot[0]
                                     : sn->ks->n_top     ? &sn->ks->top[0]
                                                         : NULL;
    if (k && k->key_full == k->key_len)
        evs_place_set_key(to, k->key, k->key_len);
}

static bool copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct whatif *w = s->state;
    (void)what;
    return w->all && evs_buf_adds(out, w->all->advice);
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct whatif *w = s->state;
    evs_buf_printf(out, "keys '%s' --target %.2f", s->at.topic, w->target);
    for (size_t i = 0; i < w->n_extra; i++)
        evs_buf_printf(out, " --what-if %s", w->extra[i]);
    return true;
}

static bool save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct whatif *w = s->state;
    (void)all;
    if (!w->all)
        return false;
    evs_whatifs_json(out, w->all);
    return evs_buf_addc(out, '\n');
}

static bool stop(struct evs_screen *s)
{
    return evs_ui_scan_stop(((struct whatif *)s->state)->scan);
}

static struct evs_table *table(struct evs_screen *s)
{
    return &((struct whatif *)s->state)->table;
}

static const struct evs_hint hints[] = {
    EVS_HINT(OPEN, "keys"),        EVS_HINT2(MORE, LESS, "shards"),
    EVS_HINT(JUMP, "add, target"), EVS_HINT(TRACE, "trace"),
    EVS_HINT(COPY, "copy advice"), EVS_HINT(CONTINUE, "read the rest"),
    EVS_HINT(SAVE_ALL, "save"),    EVS_HINTS_END};

const struct evs_screen_ops evs_screen_whatif = {
    .name = "whatif",
    .title = "What-if",
    .about = "the smallest change that evens the load, and its price",
    .state_size = sizeof(struct whatif),
    .needs_topic = true,
    .hints = hints,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = evs_whatif_draw,
    .leave = leave,
    .bands = evs_whatif_bands,
    .command = command,
    .can = can,
    .table = table,
    .place = place,
    .copy = copy,
    .copy_at_once = true,
    .command_line = command_line,
    .line = line,
    .save = save,
    .stop = stop,
};
