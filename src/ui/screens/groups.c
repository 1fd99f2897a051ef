/* groups.c - Groups: who is behind, getting worse or better, and when will it be done. */
#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/xalloc.h"
#include "ui/app.h"
#include "ui/screens/lag_words.h"
#include "ui/widgets/chart.h"

enum {
    COL_GROUP,
    COL_STATE,
    COL_MEMB,
    COL_TOPICS,
    COL_LAG,
    COL_SPARK,
    COL_AGE,
    COL_IN,
    COL_OUT,
    COL_ETA,
    COL_STATUS
};
enum { SPARK_COLS = 15, VIEW_MAX = 60, SENTENCE_ROWS = 10, NAME_COLS = 40 };

struct groups {
    struct evs_ui *ui;
    const struct evs_lag_sn *sn; /* counted */
    struct evs_table table;
    const char *topic; /* only groups that read it; NULL all */
    bool touched;      /* until a key comes the cursor stays on the worst */
    bool all;          /* empty ones too */
    size_t hidden;
    uint64_t viewed; /* what the poller was told is on screen */
};

static const struct evs_column cols[] = {
    {"GROUP", 12, 60, 0, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_COMPACT, NULL, "consumer group"},
    {"STATE", 5, 20, 6, 0, "exact", "as the coordinator says; ? unknown to this library"},
    {"MEMB", 4, 6, 5, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "members"},
    {"TOPICS", 6, 6, 2, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "topics it commits to or owns"},
    {"LAG", 8, 22, 0, EVS_COL_RIGHT | EVS_COL_DESC, "exact", NULL},
    {"LAST 30 MIN", 15, 15, 1, EVS_COL_CHART | EVS_COL_NOSORT, NULL, "lag, two minutes a step"},
    {"TIME LAG", 9, 12, 7, EVS_COL_RIGHT | EVS_COL_DESC, NULL, NULL},
    {"IN/s", 6, 8, 4, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "messages that arrive a second"},
    {"OUT/s", 6, 8, 3, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "messages committed a second"},
    {"ETA", 8, 10, 8, 0, "~", "until the slowest partition has caught up at this pace"},
    {"STATUS", 7, 8, 0, EVS_COL_DESC | EVS_COL_COMPACT, NULL, NULL},
};

static struct groups *of(const struct evs_screen *s)
{
    return s->state;
}

static const struct evs_lag_group_row *row_at(const void *ctx, size_t row)
{
    return &((const struct groups *)ctx)->sn->groups[row];
}

static size_t count(const void *ctx)
{
    const struct groups *g = ctx;
    return g->sn ? g->sn->n_groups : 0;
}

static int64_t open_records(const struct evs_lag_group_row *g)
{
    int64_t n = 0;
    for (size_t i = 0; i < g->n_rows; i++)
        if (g->rows[i].f.lag >= 0 && g->rows[i].f.open > 0)
            n += g->rows[i].f.open;
    return n;
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct groups *p = ctx;
    const struct evs_lag_group_row *g = row_at(ctx, row);
    switch (col) {
    case COL_GROUP:
        f->p = g->name;
        f->n = strlen(g->name);
        break;
    case COL_STATE: evs_field_set(f, EVS_ROLE_TEXT, lag_state(g)); break;
    case COL_MEMB:
        if (g->described)
            evs_field_printf(f, EVS_ROLE_TEXT, "%zu", g->n_members);
        else
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        break;
    case COL_TOPICS: evs_field_printf(f, EVS_ROLE_TEXT, "%zu", g->n_topics); break;
    case COL_LAG: lag_count_field(p->ui, g->v.total, open_records(g), p->sn->stable, f); break;
    case COL_AGE: lag_age_field(&g->age, g->v.total, f); break;
    case COL_IN: lag_rate_field(p->ui, g->produce, f); break;
    case COL_OUT: lag_rate_field(p->ui, g->consume, f); break;
    case COL_ETA: lag_eta_field(&g->eta, f); break;
    case COL_STATUS:
        evs_field_set(f, lag_role(g->v.verdict.status), evs_lag_status_word(g->v.verdict.status));
        break;
    default: break;
    }
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    const struct evs_lag_group_row *g = row_at(ctx, row);
    double pairs[EVS_LAG_SPARK / 2];
    (void)col;
    for (int i = 0; i < EVS_LAG_SPARK / 2; i++) {
        double a = (double)g->spark[2 * i], b = (double)g->spark[2 * i + 1];
        pairs[i] = b >= 0 ? b : a;
    }
    evs_chart_spark(v, 0, 0, v->cols, pairs, EVS_LAG_SPARK / 2, 0, EVS_ROLE_SPARK);
}

static double eta_rank(const struct evs_lag_eta *e)
{
    static const double base[] = {-1, 0, 1, 1e15, 2e15};
    return base[e->kind] + (e->kind == EVS_ETA_TIME ? e->seconds : 0);
}

/* The first letters, which tell the states apart. */
static double word_rank(const char *word)
{
    double v = 0;
    for (int i = 0; i < 6; i++) {
        v = v * 256 + (uint8_t)*word;
        word += *word != '\0';
    }
    return v;
}

static double rank(const void *ctx, size_t row, int col)
{
    static const double graver = 1e15; /* than any lag that a double still counts */
    const struct evs_lag_group_row *g = row_at(ctx, row);
    double lag = (double)g->v.total;
    switch (col) {
    case COL_STATE: return word_rank(lag_state(g));
    case COL_MEMB: return (double)g->n_members;
    case COL_TOPICS: return (double)g->n_topics;
    case COL_LAG: return lag;
    case COL_AGE: return (double)g->age.lag_ms;
    case COL_IN: return g->produce;
    case COL_OUT: return g->consume;
    case COL_ETA: return eta_rank(&g->eta);
    case COL_STATUS: return (double)g->v.verdict.status * graver + (lag < graver ? lag : graver);
    default: return (double)row; /* groups stand by name */
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    return lag_id(row_at(ctx, row)->name);
}

static bool reads(const struct evs_lag_group_row *g, const char *topic)
{
    for (size_t i = 0; i < g->n_topics; i++)
        if (!strcmp(g->topics[i], topic))
            return true;
    return false;
}

static bool shown(const void *ctx, size_t row)
{
    const struct groups *p = ctx;
    const struct evs_lag_group_row *g = row_at(ctx, row);
    if (p->topic && !reads(g, p->topic))
        return false;
    return p->all || g->v.verdict.status != EVS_LAG_EMPTY;
}

/* What no coordinator here can say (an embedded cluster's). */
static bool col_hidden(const void *ctx, int col)
{
    const struct groups *p = ctx;
    if (col != COL_STATE && col != COL_MEMB)
        return false;
    for (size_t i = 0; i < count(p); i++)
        if (col == COL_MEMB ? row_at(p, i)->described : strcmp(lag_state(row_at(p, i)), "?") != 0)
            return false;
    return count(p) > 0;
}

static const struct evs_table_ops table_ops = {.cols = cols,
                                               .n_cols = EVS_COUNT(cols),
                                               .count = count,
                                               .field = field,
                                               .chart = chart,
                                               .rank = rank,
                                               .id = id,
                                               .shown = shown,
                                               .col_hidden = col_hidden};

static const struct evs_lag_group_row *current(const struct groups *p)
{
    size_t row = p->sn ? evs_table_row(&p->table) : SIZE_MAX;
    return row == SIZE_MAX ? NULL : row_at(p, row);
}

/* --- the screen ----------------------------------------------------------------------------- */

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct groups *p = of(s);
    (void)err;
    p->ui = s->ui;
    p->topic = s->at.topic;
    evs_table_init(&p->table, &table_ops, p, COL_LAG, COL_STATUS, true);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    evs_table_done(&of(s)->table);
    (void)evs_data_keep_lag(&of(s)->sn, NULL);
}

static int table_rows(const struct evs_screen *s)
{
    return s->rows >= SENTENCE_ROWS ? s->rows - 3 : s->rows;
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)rows;
    (void)n_cols;
    evs_table_resize(&of(s)->table, table_rows(s));
}

/* Tells the poller which groups are on screen, when that has changed. */
static void tell_view(struct groups *p)
{
    const char *names[VIEW_MAX];
    size_t n = 0;
    uint64_t seen = 0;
    for (size_t i = p->table.top; i < p->table.n && n < VIEW_MAX; i++) {
        if (n >= (size_t)(p->table.page > 0 ? p->table.page : 40))
            break;
        names[n++] = row_at(p, evs_table_model_row(&p->table, i))->name;
        seen = seen * 31 + lag_id(names[n - 1]);
    }
    if (!n || seen == p->viewed)
        return;
    p->viewed = seen;
    evs_lag_poller_view(evs_data_lag_poller(p->ui), names, n);
}

static bool refresh(struct evs_screen *s)
{
    struct groups *p = of(s);
    const struct evs_lag_sn *sn = evs_data_lag(s->ui);
    bool news = evs_data_keep_lag(&p->sn, sn);
    p->topic = s->at.topic;
    if (news) {
        p->hidden = 0;
        for (size_t i = 0; sn && i < sn->n_groups; i++)
            p->hidden += sn->groups[i].v.verdict.status == EVS_LAG_EMPTY;
        evs_table_update(&p->table);
        if (!p->touched && p->table.n)
            evs_table_go(&p->table, 0);
    }
    if (p->sn)
        tell_view(p);
    return news;
}

static void sentence(const struct groups *p, const struct evs_lag_group_row *g, char *to,
                     size_t size)
{
    char ago[EVS_NUM_LEN], in[EVS_NUM_LEN], rule[300];
    EVS_AUTO(evs_buf) struct evs_buf name = EVS_BUF_INIT(1024);
    evs_text_fit(&name, g->name, strlen(g->name), NAME_COLS, EVS_CUT_MIDDLE);
    const struct evs_lag_row *r = g->n_rows ? &g->rows[g->v.worst] : NULL;
    const char *word = evs_lag_status_word(g->v.verdict.status);
    if (g->error && g->new_protocol) {
        evs_lag_rule_words(g, rule, sizeof(rule));
        evs_bands_say(to, size, "%s is %s: %s (%s).", evs_buf_str(&name), word, rule, g->error);
    } else if (g->error) {
        evs_bands_say(to, size, "%s is %s: %s.", evs_buf_str(&name), word, g->error);
    } else if (r && g->v.verdict.status == EVS_LAG_STALL && r->moved_ms > 0) {
        evs_bands_say(to, size,
                      "%s is stalled: p%d of %s has not moved for %s; %s messages/s "
                      "arrive (Enter).",
                      evs_buf_str(&name), (int)r->partition, r->topic,
                      evs_num_ago(ago, p->sn->at_ms - r->moved_ms),
                      r->produce < 0 ? "some" : evs_ui_rate(p->ui, in, r->produce));
    } else {
        evs_lag_rule_words(g, rule, sizeof(rule));
        evs_bands_say(to, size, "%s is %s: %s.", evs_buf_str(&name), word, rule);
    }
}

static void draw_empty(const struct groups *p, const struct evs_screen *s, struct evs_view *v)
{
    const struct evs_lag_poller_state *st = evs_data_lag_state(s->ui);
    if (!p->sn && !(st && st->failed_since_ms))
        evs_view_printf(v, 1, 2, EVS_ROLE_TEXT_DIM, "asking for the groups %s",
                        evs_glyph(EVS_G_MORE));
    else if (evs_table_filtered(&p->table))
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT_DIM, "No group matches. Esc clears the filter.");
    else if (p->hidden && !p->all)
        evs_view_printf(v, 2, 2, EVS_ROLE_TEXT, "%zu groups without members and lag. a shows them.",
                        p->hidden);
    else if (p->topic)
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT, "No group reads this topic.");
    else
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT,
                      "No group visible. If listing is not allowed: :group NAME.");
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    struct groups *p = of(s);
    struct evs_view at = evs_view_sub(v, 0, 0, table_rows(s), v->cols);
    evs_table_draw(&p->table, &at);
    const struct evs_lag_group_row *g = current(p);
    if (!g) {
        draw_empty(p, s, v);
        return;
    }
    if (s->rows < SENTENCE_ROWS)
        return;
    char text[600];
    int row = p->table.n + 2 < (size_t)s->rows - 2 ? (int)p->table.n + 2 : s->rows - 2;
    sentence(p, g, text, sizeof(text));
    struct evs_view words = evs_view_sub(v, row, 0, 2, v->cols - 1);
    evs_view_wrap(&words, 0, 2, 2, EVS_ROLE_TEXT, text);
}

static void say_left(const struct groups *p, const struct evs_lag_group_row *g, struct evs_bands *b)
{
    if (p->table.col == COL_LAG)
        evs_bands_say(b->left, sizeof(b->left),
                      "commits were read before end offsets %s %d requests in %.2f s%s",
                      evs_glyph(EVS_G_DOT), p->sn->requests, p->sn->seconds,
                      p->sn->from_topic ? ", from __consumer_offsets" : "");
    else if (p->table.col == COL_STATUS && g)
        evs_lag_rule_words(g, b->left, sizeof(b->left));
    else if (p->table.col == COL_AGE && g)
        lag_method_words(&g->age, b->left, sizeof(b->left));
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct groups *p = of(s);
    const struct evs_lag_poller_state *st = evs_data_lag_state(s->ui);
    char force[120], shown[EVS_NUM_LEN], all[EVS_NUM_LEN];
    if (p->topic)
        evs_bands_crumb(b, "Groups", p->topic, NULL);
    b->live = !(st && st->paused);
    lag_force_words(st, st ? st->stable : false, force, sizeof(force));
    evs_bands_say(b->right, sizeof(b->right), "%s of %s%s %s %s",
                  evs_num_commas(shown, (int64_t)p->table.n),
                  evs_num_commas(all, (int64_t)count(p)),
                  p->hidden && !p->all ? ", empty hidden" : "", evs_glyph(EVS_G_DOT), force);
    if (lag_stale_bands(s->ui, p->sn, st, b) || !p->sn)
        return;
    const struct evs_lag_group_row *g = current(p);
    say_left(p, g, b);
    if (p->table.col == COL_LAG && g) {
        struct evs_field f;
        char at[EVS_NUM_LEN];
        evs_table_field(&p->table, evs_table_row(&p->table), COL_LAG, true, &f);
        evs_num_moment(at, p->sn->at_ms, evs_ui_now_ms(s->ui), 1000);
        evs_bands_say(b->value, sizeof(b->value), "%.*s  %s", (int)f.n, f.p, at);
    }
    evs_bands_table(b, &p->table, COL_GROUP);
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_lag_group_row *g = current(of(s));
    if (g)
        lag_place(evs_lag_main_row(g), g->name, to);
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct groups *p = of(s);
    const struct evs_lag_group_row *g = current(p);
    struct evs_place at = EVS_PLACE_INIT;
    p->touched = true;
    switch (c) {
    case EVS_CMD_OPEN:
        if (!g)
            return EVS_HANDLED;
        evs_place_set(&at.group, g->name);
        evs_ui_open(s->ui, "group", &at);
        evs_place_done(&at);
        return EVS_HANDLED;
    case EVS_CMD_ALL:
        p->all = !p->all;
        evs_table_update(&p->table);
        return EVS_HANDLED;
    default: return lag_command(s->ui, c);
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct groups *p = of(s);
    const struct evs_lag_group_row *g = current(p);
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_SORT_PICK:
    case EVS_CMD_FILTER: return g != NULL;
    case EVS_CMD_GO_KEYS:
    case EVS_CMD_REPLAY:
    case EVS_CMD_GO_MESSAGES: return g && g->v.total > 0;
    case EVS_CMD_ALL: return p->hidden > 0;
    default: return lag_can(s->ui, c);
    }
}

static struct evs_table *table(struct evs_screen *s)
{
    return &of(s)->table;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct groups *p = of(s);
    bool stable = p->sn && p->sn->stable;
    return evs_buf_printf(out, "lag%s", stable ? " --isolation read_committed" : "");
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct evs_view v = {&s->ui->surface, 0, 0, table_rows(s), s->cols, EVS_ROLE_N};
    return row < table_rows(s) && evs_table_click(&of(s)->table, &v, row, col);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "partitions"),
                                        EVS_HINT(PAUSE, "pause"),
                                        EVS_HINT2(MORE, LESS, "interval"),
                                        EVS_HINT(ISOLATION, "isolation"),
                                        EVS_HINT(ALL, "all"),
                                        EVS_HINT(SORT_PICK, "sort"),
                                        EVS_HINT(FILTER, "filter"),
                                        EVS_HINT(GO_KEYS, "keys in the lag"),
                                        EVS_HINT(REPLAY, "replay the lag"),
                                        EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"stalled", "commits stand still while records wait"},
    {"stopped", "no member, and records wait"},
    {"rewound", "the committed offset went back"},
    {"warn", "the lag does not shrink, records were lost, or a transaction is open"},
    {"skewed", "one partition holds most of the lag"},
    {"grows, never", "as much arrives as is read; nobody reads"},
    {"~ and > in TIME LAG", "interpolated; at least so old"},
    {NULL, NULL}};

const struct evs_screen_ops evs_screen_groups = {
    .name = "groups",
    .title = "Groups",
    .about = "who is behind, getting worse or better, and when it will be done",
    .state_size = sizeof(struct groups),
    .hints = hints,
    .meanings = meanings,
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
    .command_line = command_line,
    .click = click,
};
