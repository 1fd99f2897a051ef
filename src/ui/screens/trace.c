/* trace.c - one entity's life: events in order, the state after each, the difference between
 * steps. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "ui/screens/trace_int.h"

static const struct evs_column cols[] = {
    {"#", 3, 9, 0, EVS_COL_RIGHT | EVS_COL_COMPACT | EVS_COL_NOSORT, "exact",
     "the event's number in this history"},
    {"P", 1, 4, 5, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "partition"},
    {"OFFSET", 6, 16, 3, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "offset in its partition"},
    {"TIME", 12, 23, 4, EVS_COL_NOSORT, "exact", "when it was written, as its producer says"},
    {"EVENT", 8, 20, 0, EVS_COL_GROW | EVS_COL_COMPACT | EVS_COL_NOSORT, "exact",
     "its type, from headers or JSON"},
    {"SIZE", 5, 9, 2, EVS_COL_RIGHT | EVS_COL_NOSORT, "exact", "bytes of the value"},
    {"CHANGE", 11, 17, 1, EVS_COL_NOSORT, "exact", "what it changed in the state"},
};

static struct trace *of(const struct evs_screen *s)
{
    return s->state;
}

static size_t count(const void *ctx)
{
    const struct trace *t = ctx;
    return t->sn ? t->sn->n : 0;
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct trace *t = ctx;
    const struct evs_event *ev = t->sn->events[row].ev;
    bool folded = t->folded && t->folded->of == t->sn->snap.generation && row < t->folded->n;
    char text[EVS_NUM_LEN];
    switch (col) {
    case TRACE_COL_N: evs_field_printf(f, EVS_ROLE_TEXT, "%zu", row + 1); break;
    case TRACE_COL_P: evs_field_printf(f, EVS_ROLE_TEXT, "%d", (int)ev->partition); break;
    case TRACE_COL_OFFSET: evs_field_set(f, EVS_ROLE_TEXT, evs_num_commas(text, ev->offset)); break;
    case TRACE_COL_TIME:
        evs_field_set(f, EVS_ROLE_TEXT, evs_ui_time(t->ui, text, ev->ts_ms));
        break;
    case TRACE_COL_EVENT:
        evs_field_set(f, ev->value ? EVS_ROLE_TEXT : EVS_ROLE_NULL,
                      folded ? t->folded->kind[row] : "");
        break;
    case TRACE_COL_SIZE:
        if (ev->value)
            evs_field_set(f, EVS_ROLE_TEXT, evs_ui_num(t->ui, text, (int64_t)ev->value_len));
        else
            evs_field_set(f, EVS_ROLE_NULL, evs_glyph(EVS_G_NONE));
        break;
    default:
        evs_field_set(f,
                      folded && !strcmp(t->folded->change[row], "not JSON") ? EVS_ROLE_WARN
                                                                            : EVS_ROLE_TEXT,
                      folded ? t->folded->change[row] : evs_glyph(EVS_G_MORE));
        break;
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    const struct trace *t = ctx;
    const struct evs_trace_event *e = &t->sn->events[row];
    return (uint64_t)e->ev->offset << 16 ^ (uint64_t)(uint32_t)e->ev->partition << 3 ^
           (uint64_t)e->lane;
}

static bool col_hidden(const void *ctx, int col)
{
    const struct trace *t = ctx;
    return (col == TRACE_COL_P && (!t->sn || t->sn->found_on < 2)) ||
           (col == TRACE_COL_CHANGE && t->rule == EVS_FOLD_NONE);
}

static const char *heading(const void *ctx, int col)
{
    (void)ctx;
    return col == TRACE_COL_CHANGE && !evs_text_ascii() ? "Δ" : cols[col].name;
}

const struct evs_table_ops evs_trace_ops = {.cols = cols,
                                               .n_cols = EVS_COUNT(cols),
                                               .gap = 1,
                                               .count = count,
                                               .field = field,
                                               .id = id,
                                               .col_hidden = col_hidden,
                                               .heading = heading};

/* --- the run ---------------------------------------------------------------------------------- */

static void unhold(void *hold)
{
    evs_trace_unhold(hold);
}

static void forget(struct trace *t)
{
    evs_task_drop(t->task);
    t->task = NULL;
    if (t->folded)
        evs_snap_unref(&t->folded->snap);
    if (t->sn)
        evs_snap_unref(&t->sn->snap);
    t->folded = NULL;
    t->sn = NULL;
    t->asked_of = 0;
    t->shown = SIZE_MAX;
    if (t->hold)
        evs_task_retire("trace", unhold, t->hold);
    t->hold = NULL;
}

static enum evs_rc start(struct evs_screen *s, struct evs_err *err)
{
    struct trace *t = of(s);
    struct evs_trace_opts o = t->ask.o;
    struct evs_trace *run = NULL;
    o.key = s->at.key ? s->at.key : s->at.text;
    o.key_len = s->at.key ? s->at.key_len : strlen(s->at.text);
    o.all_partitions = t->all;
    o.where.isolation = t->uncommitted ? EVS_READ_UNCOMMITTED : EVS_READ_COMMITTED;
    forget(t);
    o.where.now_ms = evs_ui_now_ms(s->ui);
    enum evs_rc rc = evs_trace_open(evs_ui_client(s->ui), &o, evs_ui_wake(s->ui), &run, err);
    if (rc)
        return rc;
    t->hold = evs_xcalloc(1, sizeof(*t->hold));
    atomic_init(&t->hold->refs, 1);
    t->hold->run = run;
    return EVS_OK;
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct trace *t = of(s);
    t->ui = s->ui;
    t->screen = s;
    t->rule = EVS_FOLD_MERGE;
    t->diff = true;
    t->shown = SIZE_MAX;
    evs_table_init(&t->table, &evs_trace_ops, t, TRACE_COL_CHANGE, -1, false);
    t->table.stick_end = true;
    t->table.focused = true;
    evs_pager_init(&t->pager);
    if (!s->at.key && !s->at.text)
        return evs_fail(err, EVS_INVALID,
                        "trace: of which key? x on a record or a hot key says it");
    const char *words = evs_trace_ask_words(s->at.text);
    enum evs_rc rc = evs_trace_ask_read(words ? words : "", s->at.topic, &t->ask, err);
    if (rc)
        return rc;
    t->rule = t->ask.map                      ? EVS_FOLD_MAP
              : t->ask.rule < EVS_FOLD_RULES ? t->ask.rule
                                             : EVS_FOLD_MERGE;
    t->all = t->ask.all;
    t->uncommitted = t->ask.uncommitted;
    return start(s, err);
}

static void leave(struct evs_screen *s)
{
    forget(of(s));
    evs_trace_ask_done(&of(s)->ask);
    evs_table_done(&of(s)->table);
    evs_pager_done(&of(s)->pager);
}

static int pane_rows(const struct evs_screen *s)
{
    int rows = s->rows - of(s)->head;
    bool stacked = s->cols < TRACE_WIDE && rows >= TRACE_STACK_ROWS && !s->zoom;
    return (stacked ? rows / 2 : rows) - 1;
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    struct trace *t = of(s);
    (void)rows;
    (void)n_cols;
    if (t->sn)
        evs_trace_conclude(s);
    bool alone = s->cols < TRACE_WIDE || s->zoom;
    evs_trace_lanes_setup(t, alone ? s->cols : evs_trace_left(t, s->cols));
    evs_table_resize(&t->table, pane_rows(s));
    evs_pager_resize(&t->pager, pane_rows(s));
}

static bool refresh(struct evs_screen *s)
{
    struct trace *t = of(s);
    struct evs_trace_sn *sn =
        t->hold ? evs_trace_take(t->hold->run, t->sn ? t->sn->snap.generation : 0) : NULL;
    if (sn) {
        if (t->sn)
            evs_snap_unref(&t->sn->snap);
        t->sn = sn;
        evs_trace_conclude(s);
        evs_table_update(&t->table);
        resize(s, s->rows, s->cols);
    }
    bool folded = evs_trace_fold_take(t);
    evs_trace_fold_start(t);
    /* What was folded belongs to an older snapshot while a newer one is read: rows are the same. */
    if (t->folded && t->sn && t->folded->n <= t->sn->n)
        evs_trace_show_step(t);
    return sn || folded;
}

/* --- commands --------------------------------------------------------------------------------- */

static const struct evs_event *current(const struct trace *t)
{
    size_t row = t->sn ? evs_table_row(&t->table) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : t->sn->events[row].ev;
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_event *ev = current(of(s));
    if (!ev)
        return;
    to->partition = ev->partition;
    to->offset = ev->offset;
    if (ev->key)
        evs_place_set_key(to, ev->key, ev->key_len);
}

static enum evs_handled open_record(struct evs_screen *s)
{
    const struct evs_event *ev = current(of(s));
    struct evs_place at = EVS_PLACE_INIT;
    if (!ev)
        return EVS_HANDLED;
    evs_place_set(&at.topic, ev->topic);
    at.partition = ev->partition;
    at.offset = ev->offset;
    evs_ui_open(s->ui, "messages", &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static bool jump(void *ctx, const char *text)
{
    struct evs_screen *s = ctx;
    struct trace *t = of(s);
    int64_t when, n;
    struct evs_err err = EVS_ERR_INIT;
    if (!t->sn || !t->sn->n)
        return true;
    if (*text == '#' && !evs_num_i64(text + 1, 1, (int64_t)t->sn->n, &n, &err)) {
        evs_table_go(&t->table, (size_t)n - 1);
        return true;
    }
    if (evs_num_time(text, evs_ui_now_ms(s->ui), &when, &err)) {
        evs_ui_fail(s->ui, &err);
        return false;
    }
    size_t i = t->sn->n;
    while (i > 1 && t->sn->events[i - 1].ev->ts_ms > when)
        i--;
    evs_table_go(&t->table, i - 1);
    return true;
}

static void again(struct evs_screen *s)
{
    struct evs_err err = EVS_ERR_INIT;
    if (start(s, &err))
        evs_ui_fail(s->ui, &err);
    evs_table_update(&of(s)->table);
}

static bool asked(void *ctx, const char *words)
{
    struct evs_screen *s = ctx;
    struct trace *t = of(s);
    struct trace_ask ask;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_trace_ask_read(words, s->at.topic, &ask, &err)) {
        evs_ui_fail(s->ui, &err);
        return false;
    }
    bool mapped = ask.map && (!t->ask.map || strcmp(ask.map, t->ask.map) != 0);
    forget(t); /* what is read borrows the old words */
    evs_trace_ask_done(&t->ask);
    t->ask = ask;
    t->all |= ask.all;
    if (mapped || (t->rule == EVS_FOLD_MAP && !ask.map))
        t->rule = mapped ? EVS_FOLD_MAP : EVS_FOLD_MERGE;
    else if (ask.rule < EVS_FOLD_RULES)
        t->rule = ask.rule;
    if (ask.leveled)
        t->uncommitted = ask.uncommitted;
    again(s);
    resize(s, s->rows, s->cols);
    return true;
}

static bool words_changed(void *ctx, const char *words, char say[EVS_PROMPT_SAY])
{
    const struct evs_screen *s = ctx;
    struct trace_ask ask = {0};
    struct evs_err err = EVS_ERR_INIT;
    enum evs_rc rc = evs_trace_ask_read(words, s->at.topic, &ask, &err);
    evs_bands_say(say, EVS_PROMPT_SAY, "%s", rc ? err.msg : "");
    evs_trace_ask_done(&ask);
    return rc == EVS_OK;
}

static void ask_words(struct evs_screen *s)
{
    evs_ui_prompt(s->ui,
                  &(struct evs_prompt_spec){
                      .label = "trace ",
                      .initial = of(s)->ask.words,
                      .history = "trace-words",
                      .hints = "with:TOPIC[,header:NAME|,json:PATH]  by:HOW  since: until: p:  "
                               "fold: map:JQ of {state,event}  Enter read  Esc cancel",
                      .changed = words_changed,
                      .done = asked,
                      .ctx = s});
}

static enum evs_fold_rule next_rule(const struct trace *t)
{
    switch (t->rule) {
    case EVS_FOLD_LAST: return EVS_FOLD_MERGE;
    case EVS_FOLD_MERGE: return t->ask.map ? EVS_FOLD_MAP : EVS_FOLD_NONE;
    case EVS_FOLD_MAP: return EVS_FOLD_NONE;
    default: return EVS_FOLD_LAST;
    }
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct trace *t = of(s);
    switch (c) {
    case EVS_CMD_OPEN: return open_record(s);
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV:
        t->right = !t->right;
        t->table.focused = !t->right;
        t->pager.focused = t->right;
        return EVS_HANDLED;
    case EVS_CMD_ZOOM: s->zoom = !s->zoom; break;
    case EVS_CMD_DIFF: t->diff = !t->diff; break;
    case EVS_CMD_MODE: t->rule = next_rule(t); break;
    case EVS_CMD_FILTER_FORM: ask_words(s); return EVS_HANDLED;
    case EVS_CMD_JUMP:
        evs_ui_prompt(s->ui, &(struct evs_prompt_spec){
                                 .label = "@", .done = jump, .ctx = s, .history = "trace"});
        return EVS_HANDLED;
    case EVS_CMD_ALL: t->all = !t->all; again(s); return EVS_HANDLED;
    case EVS_CMD_ISOLATION: t->uncommitted = !t->uncommitted; again(s); return EVS_HANDLED;
    case EVS_CMD_REFRESH: again(s); return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
    resize(s, s->rows, s->cols);
    return EVS_HANDLED;
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct trace *t = of(s);
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_COPY:
    case EVS_CMD_SAVE:
    case EVS_CMD_SAVE_ALL:
    case EVS_CMD_JUMP:
    case EVS_CMD_GO_MESSAGES: return current(t) != NULL;
    case EVS_CMD_DIFF: return current(t) && t->rule != EVS_FOLD_NONE;
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV:
    case EVS_CMD_ZOOM: return current(t) != NULL;
    case EVS_CMD_MODE: return t->sn != NULL;
    case EVS_CMD_SIBLING_PREV:
    case EVS_CMD_SIBLING_NEXT: return t->sn && t->sn->n > 1;
    case EVS_CMD_ALL: return t->sn && t->sn->partitions > 1;
    case EVS_CMD_TRACE:
    case EVS_CMD_SORT_PICK: return false;
    default: return true;
    }
}

static bool sibling(struct evs_screen *s, int step)
{
    struct trace *t = of(s);
    size_t n = t->table.n, at = t->table.cursor;
    if (!n || (step < 0 && !at) || (step > 0 && at + 1 >= n))
        return true;
    evs_table_go(&t->table, step < 0 ? at - 1 : at + 1);
    return true;
}

static struct evs_table *table(struct evs_screen *s)
{
    return of(s)->right ? NULL : &of(s)->table;
}

static struct evs_pager *pager(struct evs_screen *s)
{
    return of(s)->right ? &of(s)->pager : NULL;
}

static bool stop(struct evs_screen *s)
{
    struct trace *t = of(s);
    if (!t->hold || !t->sn || t->sn->state > EVS_TRACE_READING)
        return false;
    evs_trace_stop(t->hold->run);
    return true;
}

static const struct evs_hint hints[] = {EVS_HINT2(SIBLING_PREV, SIBLING_NEXT, "step"),
                                        EVS_HINT(DIFF, "diff"),
                                        EVS_HINT(MODE, "fold rule"),
                                        EVS_HINT(FILTER_FORM, "lanes, time, map"),
                                        EVS_HINT(ALL, "all partitions"),
                                        EVS_HINT(OPEN, "message"),
                                        EVS_HINT(JUMP, "jump"),
                                        EVS_HINT(COPY, "copy"),
                                        EVS_HINT(SAVE_ALL, "save"),
                                        EVS_HINT(PANE_NEXT, "pane"),
                                        EVS_HINT(ISOLATION, "isolation"),
                                        EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"first", "the first event that gives a state"},
    {"2 chg 1 new", "members that changed, came, went (del)"},
    {"gone", "a tombstone: no state is left"},
    {"not JSON", "the event could not be folded; the state stays"},
    {NULL, NULL},
};

const struct evs_screen_ops evs_screen_trace = {
    .name = "trace",
    .title = "Trace",
    .about = "one key's history, the state after each event, the difference between steps",
    .state_size = sizeof(struct trace),
    .needs_topic = true,
    .hints = hints,
    .meanings = meanings,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = evs_trace_draw,
    .leave = leave,
    .bands = evs_trace_bands,
    .command = command,
    .can = can,
    .table = table,
    .pager = pager,
    .place = place,
    .copy = evs_trace_copy,
    .save = evs_trace_save,
    .command_line = evs_trace_command_line,
    .stop = stop,
    .sibling = sibling,
};
