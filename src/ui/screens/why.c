/* why.c - Why is this partition lagging? Each suspect is confirmed or cleared with evidence. */
#include "lag/why.h"

#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "ui/app.h"
#include "ui/screens/lag_words.h"
#include "ui/task.h"
#include "ui/widgets/chart.h"
#include "ui/widgets/table.h"
#include "ui/widgets/verdict.h"

enum { COL_MARK, COL_SUSPECT, COL_FINDING, COL_EVIDENCE };
enum { AGAIN_MS = 5000, TABLE_ROWS = EVS_SUSPECT_N + 1, CHART_ROWS = 3, SPARK_COLS = 22 };

struct why {
    struct evs_ui *ui;
    const struct evs_lag_sn *sn; /* borrowed */
    struct evs_task *task;
    struct evs_why *w; /* the last answer; NULL: none yet */
    uint64_t taken;    /* generation of the running task's answer */
    int64_t answered_ms;
    int64_t moved_ms; /* moving again since; 0 */
    int64_t stood_at; /* the commit when the screen was opened; -1 unknown */
    struct evs_table table;
    enum evs_suspect_kind order[EVS_SUSPECT_N]; /* confirmed first */
    struct evs_verdict verdict;
    int head;
    bool focused; /* the poller was told */
};

static const struct evs_column cols[] = {
    {"", 1, 1, 0, EVS_COL_COMPACT | EVS_COL_NOSORT, NULL, "found, cleared, or not to be told"},
    {"SUSPECT", 22, 24, 0, EVS_COL_COMPACT | EVS_COL_NOSORT, NULL, "what may hold it back"},
    {"FINDING", 20, 400, 0, EVS_COL_GROW | EVS_COL_NOSORT, NULL, "what was seen"},
    {"EVIDENCE", 14, 30, 1, EVS_COL_NOSORT, NULL, "how it is known"},
};

static struct why *of(const struct evs_screen *s)
{
    return s->state;
}

static const struct evs_suspect *suspect(const struct why *y, size_t row)
{
    return &y->w->suspects[y->order[row]];
}

static size_t count(const void *ctx)
{
    return ((const struct why *)ctx)->w ? EVS_SUSPECT_N : 0;
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct why *y = ctx;
    const struct evs_suspect *s = suspect(y, row);
    enum evs_role role = s->found == EVS_FOUND ? EVS_ROLE_BAD : EVS_ROLE_TEXT;
    switch (col) {
    case COL_MARK:
        evs_field_set(f, s->found == EVS_UNKNOWN ? EVS_ROLE_NUM_UNKNOWN : role,
                      s->found == EVS_FOUND     ? evs_glyph(EVS_G_UP)
                      : s->found == EVS_CLEARED ? evs_glyph(EVS_G_DOWN)
                                                : "?");
        break;
    case COL_SUSPECT: evs_field_set(f, role, evs_suspect_title(y->order[row])); break;
    case COL_FINDING:
        f->p = s->text;
        f->n = strlen(s->text);
        f->role = role;
        break;
    default: evs_field_set(f, EVS_ROLE_TEXT_DIM, s->evidence); break;
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    return (uint64_t)((const struct why *)ctx)->order[row];
}

static const struct evs_table_ops table_ops = {
    .cols = cols, .n_cols = EVS_COUNT(cols), .count = count, .field = field, .id = id};

/* --- the work ------------------------------------------------------------------------------- */

struct question {
    struct evs_client *c;
    struct evs_lag_sn *sn; /* counted */
    char *group, *topic;
    int32_t partition;
};

static void free_question(void *ctx)
{
    struct question *q = ctx;
    evs_snap_unref(&q->sn->snap);
    evs_free(q->group);
    evs_free(q->topic);
    evs_free(q);
}

static void ask(struct evs_task *t, void *ctx)
{
    const struct question *q = ctx;
    const struct evs_lag_group_row *g = evs_lag_find(q->sn, q->group);
    const struct evs_lag_row *r = g ? evs_lag_find_row(g, q->topic, q->partition) : NULL;
    struct evs_why *w = NULL;
    struct evs_err err = EVS_ERR_INIT;
    if (r && !evs_lag_why(q->c, q->sn, g, r, evs_task_stop_flag(t), &w, &err))
        evs_task_publish(t, &w->snap);
}

static const struct evs_lag_row *row_of(const struct evs_screen *s,
                                        const struct evs_lag_group_row **ret_g)
{
    const struct why *y = of(s);
    const struct evs_lag_group_row *g = y->sn ? evs_lag_find(y->sn, s->at.group) : NULL;
    *ret_g = g;
    return g ? evs_lag_find_row(g, s->at.topic, s->at.partition) : NULL;
}

/* Confirmed first, else the fixed order: findings do not jump. */
static void arrange(struct why *y)
{
    size_t n = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int k = 0; k < EVS_SUSPECT_N; k++)
            if ((y->w->suspects[k].found == EVS_FOUND) == (pass == 0))
                y->order[n++] = (enum evs_suspect_kind)k;
}

static void conclude(struct evs_screen *s)
{
    struct why *y = of(s);
    char since[EVS_NUM_LEN];
    const struct evs_why *w = y->w;
    bool open = w->suspects[EVS_SUSPECT_RECORD].found == EVS_FOUND &&
                w->suspects[EVS_SUSPECT_NO_OWNER].found != EVS_FOUND;
    if (y->moved_ms) {
        evs_num_moment(since, y->moved_ms, evs_ui_now_ms(s->ui), 1000);
        evs_verdict_say(&y->verdict, EVS_VERDICT_GOOD, "Moving again since %s.", since);
    } else if (!w->verdict[0]) {
        evs_verdict_say(&y->verdict, EVS_VERDICT_PLAIN, "Reading what waits.");
    } else {
        evs_verdict_say(&y->verdict,
                        w->confirmed       ? EVS_VERDICT_CRITICAL
                        : w->row.f.lag > 0 ? EVS_VERDICT_WARN
                                           : EVS_VERDICT_GOOD,
                        "%s%s", w->verdict, open ? " Enter opens it." : "");
    }
    arrange(y);
    evs_table_update(&y->table);
    int rows = evs_verdict_draw(NULL, 0, s->rows >= 14 ? 3 : 1, s->cols, &y->verdict, 1);
    y->head = rows + (s->rows >= 14);
    evs_table_resize(&y->table, TABLE_ROWS);
}

static void start(struct evs_screen *s, const struct evs_lag_group_row *g,
                  const struct evs_lag_row *r)
{
    struct why *y = of(s);
    if (!y->w) {
        y->w = evs_lag_why_start(y->sn, g, r);
        y->stood_at = r->committed;
        conclude(s);
    }
    struct question *q = evs_xcalloc(1, sizeof(*q));
    struct evs_lag_sn *sn = s->ui->data.lag_sn; /* what y->sn borrows */
    *q = (struct question){evs_ui_client(s->ui), (void *)evs_snap_ref(&sn->snap),
                           evs_xstrdup(s->at.group), evs_xstrdup(s->at.topic), s->at.partition};
    evs_task_drop(y->task);
    y->taken = 0;
    y->answered_ms = evs_ui_now_ms(s->ui);
    y->task = evs_task_start("why", ask, q, free_question, evs_ui_wake(s->ui));
}

/* --- the screen ----------------------------------------------------------------------------- */

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct why *y = of(s);
    y->ui = s->ui;
    y->stood_at = -1;
    evs_table_init(&y->table, &table_ops, y, COL_FINDING, -1, false);
    if (!s->at.group || !s->at.topic || s->at.partition < 0)
        return evs_fail(err, EVS_INVALID, "why: open it from a partition of a group (7, Enter)");
    return EVS_OK;
}

static void forget(struct why *y)
{
    evs_task_drop(y->task);
    evs_snap_unref(y->w ? &y->w->snap : NULL);
    y->task = NULL;
    y->w = NULL;
    y->moved_ms = 0;
    y->focused = false;
}

static void leave(struct evs_screen *s)
{
    forget(of(s));
    evs_table_done(&of(s)->table);
    (void)evs_data_keep_lag(&of(s)->sn, NULL);
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)rows;
    (void)n_cols;
    if (of(s)->w)
        conclude(s);
}

static void tell_poller(struct evs_screen *s)
{
    struct why *y = of(s);
    struct evs_lag_poller *p = evs_data_lag_poller(s->ui);
    if (!p || y->focused)
        return;
    y->focused = true;
    const char *group = s->at.group;
    evs_lag_poller_view(p, &group, 1);
    evs_lag_poller_focus(p, s->at.group, s->at.topic, s->at.partition);
    evs_lag_poller_refresh(p);
}

static bool take_answer(struct evs_screen *s)
{
    struct why *y = of(s);
    struct evs_why *w = y->task ? (void *)evs_task_take(y->task, y->taken) : NULL;
    if (!w)
        return false;
    y->taken = w->snap.generation;
    evs_snap_unref(y->w ? &y->w->snap : NULL);
    y->w = w;
    conclude(s);
    return true;
}

static bool refresh(struct evs_screen *s)
{
    struct why *y = of(s);
    const struct evs_lag_sn *sn = evs_data_lag(s->ui);
    const struct evs_lag_group_row *g;
    bool news = evs_data_keep_lag(&y->sn, sn);
    tell_poller(s);
    const struct evs_lag_row *r = row_of(s, &g);
    bool due = !y->task ||
               (!evs_task_running(y->task) && evs_ui_now_ms(s->ui) - y->answered_ms >= AGAIN_MS);
    if (r && news && y->w && y->stood_at >= 0 && r->committed > y->stood_at && !y->moved_ms &&
        y->w->row.verdict.status == EVS_LAG_STALL)
        y->moved_ms = evs_ui_now_ms(s->ui);
    if (r && news && due)
        start(s, g, r);
    return take_answer(s) || news;
}

static void draw_spark(struct evs_view *v, int row, int col, const double *values,
                       const char *label)
{
    evs_view_text(v, row, col, EVS_ROLE_TEXT, label);
    evs_chart_spark(v, row, col + 6, SPARK_COLS, values, EVS_LAG_SPARK, 0, EVS_ROLE_SPARK);
}

/* "commit moved ██████ stopped 14:10:02": two minutes a cell, three where it is narrow. */
static void draw_commit(const struct evs_screen *s, struct evs_view *v,
                        const struct evs_lag_poller_state *st)
{
    const struct evs_lag_row *r = &of(s)->w->row;
    int64_t at_ms = r->commit_ms > 0 ? r->commit_ms : r->moved_ms;
    char at[EVS_NUM_LEN];
    int col = 2 + evs_view_text(v, 2, 2, EVS_ROLE_TEXT, "commit moved ");
    if (at_ms <= 0) {
        evs_view_text(v, 2, col, EVS_ROLE_TEXT_DIM, "not while watched");
        return;
    }
    int a_bar = v->cols >= 100 ? 2 : 3; /* minutes */
    for (int i = 0; i < EVS_LAG_SPARK; i++)
        if (st->out[i] > 0)
            evs_view_glyph(v, 2, col + i / a_bar, EVS_ROLE_BAR, EVS_G_BAR);
    col += EVS_LAG_SPARK / a_bar;
    evs_num_moment(at, at_ms > 0 ? at_ms : 0, evs_ui_now_ms(s->ui), 1000);
    bool moves = r->verdict.status != EVS_LAG_STALL && r->verdict.status != EVS_LAG_STOP;
    evs_view_printf(v, 2, col + 1, moves ? EVS_ROLE_TEXT : EVS_ROLE_BAD, "%s %s",
                    moves ? "last" : "stopped", at);
}

static void draw_charts(const struct evs_screen *s, struct evs_view *v)
{
    const struct why *y = of(s);
    const struct evs_lag_poller_state *st = evs_data_lag_state(s->ui);
    const struct evs_lag_row *r = &y->w->row;
    char n[EVS_NUM_LEN], text[120];
    evs_view_rule(v, 0, "last 30 min", NULL, false);
    if (!st || !st->charts)
        return;
    int right = v->cols >= 70 ? v->cols / 2 + 4 : -1;
    draw_spark(v, 1, 2, st->lag, "lag");
    evs_view_text(v, 1, 10 + SPARK_COLS, EVS_ROLE_TEXT,
                  r->f.lag < 0 ? evs_glyph(EVS_G_NONE) : evs_num_commas(n, r->f.lag));
    draw_commit(s, v, st);
    if (right < 0)
        return;
    draw_spark(v, 1, right, st->in, "in");
    draw_spark(v, 2, right, st->out, "out");
    evs_bands_say(text, sizeof(text), "%s/s",
                  r->produce < 0 ? evs_glyph(EVS_G_NONE) : evs_ui_rate(s->ui, n, r->produce));
    evs_view_text(v, 1, right + 8 + SPARK_COLS, EVS_ROLE_TEXT, text);
    evs_bands_say(text, sizeof(text), "%s/s",
                  r->consume < 0 ? evs_glyph(EVS_G_NONE) : evs_ui_rate(s->ui, n, r->consume));
    evs_view_text(v, 2, right + 8 + SPARK_COLS, EVS_ROLE_TEXT, text);
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct why *y = of(s);
    const struct evs_lag_group_row *g;
    if (!y->w) {
        const char *text = y->sn && !row_of(s, &g) ? "This group has nothing to do with it."
                                                   : "asking for the group";
        evs_view_text(v, 1, 2, EVS_ROLE_TEXT_DIM, text);
        return;
    }
    evs_verdict_draw(v, 0, y->head, v->cols, &y->verdict, 1);
    struct evs_view at = evs_view_sub(v, y->head, 0, TABLE_ROWS, v->cols);
    evs_table_draw(&y->table, &at);
    int below = y->head + TABLE_ROWS + 1;
    if (v->rows - below >= CHART_ROWS) {
        struct evs_view charts = evs_view_sub(v, below, 0, CHART_ROWS, v->cols);
        draw_charts(s, &charts);
    }
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct why *y = of(s);
    char part[300], lag[EVS_NUM_LEN], ago[EVS_NUM_LEN], read[EVS_NUM_LEN];
    const char *dot = evs_glyph(EVS_G_DOT);
    evs_bands_say(part, sizeof(part), "%s p%d", s->at.topic ? s->at.topic : "",
                  (int)s->at.partition);
    evs_bands_crumb(b, "Groups", s->at.group ? s->at.group : "", part, "Why", NULL);
    b->live = true;
    if (!y->w)
        return;
    const struct evs_lag_row *r = &y->w->row;
    evs_bands_say(b->right, sizeof(b->right), "lag %s %s %s %s %s",
                  r->f.lag < 0 ? evs_glyph(EVS_G_NONE) : evs_num_commas(lag, r->f.lag), dot,
                  r->age.lag_ms > 0 ? evs_num_ago(ago, r->age.lag_ms) : evs_glyph(EVS_G_NONE), dot,
                  evs_lag_status_word(r->verdict.status));
    evs_bands_say(b->tag, sizeof(b->tag), "%s", y->w->whole || !y->w->read ? "exact" : "~");
    evs_bands_say(b->left, sizeof(b->left), "%d suspects, %d confirmed %s %s messages read%s",
                  EVS_SUSPECT_N, y->w->confirmed, dot, evs_num_commas(read, y->w->read),
                  evs_task_running(y->task) ? ", reading on" : "");
    evs_bands_say(b->value, sizeof(b->value), "read-only: nothing is committed");
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct why *y = of(s);
    if (!y->w || y->w->row.f.lag <= 0)
        return;
    to->offset = y->w->from;
    to->offset_to = y->w->to;
}

static enum evs_handled open_row(struct evs_screen *s)
{
    static const char *const leads[EVS_SUSPECT_N] = {
        [EVS_SUSPECT_RECORD] = "messages",     [EVS_SUSPECT_HOT_KEY] = "keys",
        [EVS_SUSPECT_OPEN_TXN] = "partitions", [EVS_SUSPECT_RETENTION] = "partitions",
        [EVS_SUSPECT_NO_OWNER] = "group",      [EVS_SUSPECT_ALL_SLOW] = "group",
        [EVS_SUSPECT_PROCESSING] = "messages"};
    const struct why *y = of(s);
    size_t row = y->w ? evs_table_row(&y->table) : SIZE_MAX;
    struct evs_place at = EVS_PLACE_INIT;
    if (row == SIZE_MAX)
        return EVS_HANDLED;
    evs_place_copy(&at, &s->at);
    place(s, &at);
    at.alone = y->order[row] == EVS_SUSPECT_RECORD;
    evs_ui_open(s->ui, leads[y->order[row]], &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    return c == EVS_CMD_OPEN ? open_row(s) : lag_command(s->ui, c);
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct why *y = of(s);
    const struct evs_lag_group_row *g;
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_COPY: return y->w != NULL;
    case EVS_CMD_GO_MESSAGES:
    case EVS_CMD_GO_KEYS:
    case EVS_CMD_REPLAY: return y->w && y->w->row.f.lag > 0;
    case EVS_CMD_SIBLING_PREV:
    case EVS_CMD_SIBLING_NEXT: return row_of(s, &g) && g->n_rows > 1;
    case EVS_CMD_FILTER:
    case EVS_CMD_SORT_PICK: return false;
    default: return lag_can(s->ui, c);
    }
}

static bool sibling(struct evs_screen *s, int step)
{
    struct why *y = of(s);
    const struct evs_lag_group_row *g;
    const struct evs_lag_row *r = row_of(s, &g);
    if (!r || g->n_rows < 2)
        return false;
    size_t here = (size_t)(r - g->rows), n = g->n_rows;
    const struct evs_lag_row *to = &g->rows[(here + n + (size_t)(step < 0 ? n - 1 : 1)) % n];
    evs_place_set(&s->at.topic, to->topic);
    s->at.partition = to->partition;
    s->at.offset = s->at.offset_to = -1;
    forget(y);
    y->stood_at = to->committed;
    start(s, g, to);
    return true;
}

static bool copy(const struct evs_screen *s, char what, struct evs_buf *out)
{
    const struct why *y = of(s);
    static const char *const words[] = {"cleared", "unknown", "FOUND"};
    if (!y->w || what != 'a')
        return false;
    evs_buf_printf(out, "%s, %s p%d: %s\n", s->at.group, s->at.topic, (int)s->at.partition,
                   y->w->verdict);
    for (size_t i = 0; i < EVS_SUSPECT_N; i++)
        evs_buf_printf(out, "%-8s %-24s %s (%s)\n", words[suspect(y, i)->found],
                       evs_suspect_title(y->order[i]), suspect(y, i)->text,
                       suspect(y, i)->evidence);
    return true;
}

static struct evs_table *table(struct evs_screen *s)
{
    return &of(s)->table;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    return evs_buf_printf(out, "lag --why %s %s:%d", s->at.group, s->at.topic,
                          (int)s->at.partition);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "evidence"),
                                        EVS_HINT(GO_KEYS, "keys in the lag"),
                                        EVS_HINT(REPLAY, "replay the lag"),
                                        EVS_HINT(COPY, "copy findings"),
                                        EVS_HINT2(SIBLING_PREV, SIBLING_NEXT, "partition"),
                                        EVS_HINT(REFRESH, "refresh"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_why = {
    .name = "why",
    .title = "Why",
    .about = "why a partition lags: seven suspects with their evidence",
    .state_size = sizeof(struct why),
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
    .copy = copy,
    .copy_at_once = true,
    .sibling = sibling,
    .command_line = command_line,
};
