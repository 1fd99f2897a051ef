/* topics.c - Topics: what is there and what needs attention, worst first. */
#include "ui/screens/topics.h"

#include <string.h>

#include "kafka/client.h"
#include "ui/screens/connecting.h"

static const char msgs_meaning[] =
    " is high %s low, an upper bound on compacted or transactional topics";

static struct topics *of(const struct evs_screen *s)
{
    return s->state;
}

static struct evs_table *shown_table(struct topics *t)
{
    return t->as_tree ? &t->tree : &t->list;
}

/* Nothing was ever heard: Connecting is drawn instead of the list. */
static bool connecting(const struct topics *t)
{
    return !t->sn || (t->sn->error && !t->sn->n);
}

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct topics *t = of(s);
    (void)err;
    t->ui = s->ui;
    (void)evs_data_keep_topics(&t->sn, evs_data_topics(s->ui));
    evs_table_init(&t->list, &topic_list_ops, t, TOPIC_COL_MSGS, TOPIC_COL_STATE, true);
    evs_table_init(&t->tree, &topic_tree_ops, t, TREE_COL_MSGS, -1, false);
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct topics *t = of(s);
    evs_table_done(&t->list);
    evs_table_done(&t->tree);
    (void)evs_data_keep_topics(&t->sn, NULL);
    (void)evs_data_keep_lag(&t->lag_sn, NULL);
    evs_map_done(&t->folded, NULL);
    evs_free(t->nodes);
    evs_free(t->lags);
}

static void resize(struct evs_screen *s, int rows, int cols)
{
    (void)cols;
    evs_table_resize(&of(s)->list, rows);
    evs_table_resize(&of(s)->tree, rows);
}

static void take(struct topics *t)
{
    t->hidden = 0;
    for (int i = 0; t->sn && i < t->sn->n; i++)
        t->hidden += topic_internal(&t->sn->rows[i]);
    topic_lags_build(t);
    topic_tree_build(t);
    evs_table_update(&t->list);
    evs_table_update(&t->tree);
}

static bool refresh(struct evs_screen *s)
{
    struct topics *t = of(s);
    const struct evs_topics_sn *sn = evs_data_topics(s->ui);
    const struct evs_lag_sn *lag = sn && sn->n ? evs_data_lag(s->ui) : NULL;
    bool steps = (!sn || !sn->n) && evs_connecting_refresh(s->ui);
    bool topics = evs_data_keep_topics(&t->sn, sn);
    if (!evs_data_keep_lag(&t->lag_sn, lag) && !topics)
        return steps || evs_data_waiting_ms(s->ui) > 0;
    take(t);
    return true;
}

static void draw_empty(const struct topics *t, struct evs_view *v)
{
    if (evs_table_filtered(&t->list))
        evs_view_text(v, 2, 2, EVS_ROLE_TEXT_DIM, "No topic matches. Esc clears the filter.");
    else
        evs_view_wrap(v, 2, 2, 3, EVS_ROLE_TEXT,
                      "No topics visible. a shows internal ones; this user may lack DESCRIBE "
                      "(0 shows the login).");
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    struct topics *t = of(s);
    if (connecting(t)) {
        evs_connecting_draw(s->ui, v);
        return;
    }
    evs_table_draw(shown_table(t), v);
    if (!shown_table(t)->n)
        draw_empty(t, v);
}

static void stale(const struct topics *t, struct evs_bands *b)
{
    char since[EVS_NUM_LEN];
    evs_num_moment(since, t->sn->at_ms, evs_ui_now_ms(t->ui), 1000);
    b->role = EVS_ROLE_BAD;
    evs_bands_say(b->left, sizeof(b->left), "as of %s: %s", since, t->sn->error);
    evs_bands_say(b->value, sizeof(b->value), "%s", t->sn->hint ? t->sn->hint : "");
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    struct topics *t = of(s);
    struct evs_table *table = shown_table(t);
    if (connecting(t)) {
        evs_connecting_bands(s->ui, b);
        return;
    }
    const char *dot = evs_glyph(EVS_G_DOT);
    char n[EVS_NUM_LEN], all[EVS_NUM_LEN];
    b->live = !t->paused;
    evs_bands_say(b->right, sizeof(b->right), "%s of %s%s %s %s",
                  evs_num_commas(n, (int64_t)t->list.n), evs_num_commas(all, t->sn->n),
                  t->hidden && !t->all ? ", internal hidden" : "", dot,
                  t->paused ? "paused" : "every 2 s");
    if (t->sn->error) {
        stale(t, b);
        return;
    }
    if (table->col == (t->as_tree ? (int)TREE_COL_MSGS : (int)TOPIC_COL_MSGS)) {
        char text[200];
        evs_bands_say(text, sizeof(text), msgs_meaning, evs_glyph(EVS_G_MINUS));
        evs_bands_say(b->left, sizeof(b->left), "MSGS%s%s", evs_glyph(EVS_G_LE), text);
    }
    evs_bands_table(b, table, 0);
}

static const struct evs_topic_row *current(const struct evs_screen *s)
{
    struct topics *t = of(s);
    size_t row = evs_table_row(shown_table(t));
    if (row == SIZE_MAX)
        return NULL;
    return t->as_tree ? t->nodes[row].row : &t->sn->rows[row];
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct evs_topic_row *row = current(s);
    evs_place_set(&to->topic, row ? row->name : NULL);
}

static enum evs_handled open_row(struct evs_screen *s)
{
    struct topics *t = of(s);
    const struct evs_topic_row *row = current(s);
    struct evs_place at = EVS_PLACE_INIT;
    if (connecting(t)) {
        evs_topics_refresh(evs_data_topics_poller(s->ui));
        evs_connecting_examine(s->ui);
        return EVS_HANDLED;
    }
    if (!row) {
        if (t->as_tree)
            topic_tree_fold(t, -1);
        return EVS_HANDLED;
    }
    evs_place_set(&at.topic, row->name);
    evs_ui_open(s->ui, "partitions", &at);
    evs_place_done(&at);
    return EVS_HANDLED;
}

static void switch_mode(struct topics *t)
{
    size_t row = evs_table_row(shown_table(t));
    const char *name = NULL;
    if (row != SIZE_MAX)
        name = !t->as_tree         ? t->sn->rows[row].name
               : t->nodes[row].row ? t->nodes[row].row->name
                                   : NULL;
    t->as_tree = !t->as_tree;
    for (size_t i = 0; name && i < shown_table(t)->n; i++) {
        size_t model = evs_table_model_row(shown_table(t), i);
        const struct evs_topic_row *r = t->as_tree ? t->nodes[model].row : &t->sn->rows[model];
        if (r && !strcmp(r->name, name))
            evs_table_go(shown_table(t), i);
    }
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct topics *t = of(s);
    switch (c) {
    case EVS_CMD_OPEN: return open_row(s);
    case EVS_CMD_MODE: switch_mode(t); return EVS_HANDLED;
    case EVS_CMD_ALL:
        t->all = !t->all;
        take(t);
        return EVS_HANDLED;
    case EVS_CMD_PAUSE:
    case EVS_CMD_CONTINUE:
        t->paused = c == EVS_CMD_PAUSE && !t->paused;
        evs_topics_pause(evs_data_topics_poller(s->ui), t->paused);
        return EVS_HANDLED;
    case EVS_CMD_REFRESH:
        evs_topics_refresh(evs_data_topics_poller(s->ui));
        evs_ui_say(s->ui, EVS_ROLE_STATUS, "asking the cluster again");
        return EVS_HANDLED;
    case EVS_CMD_MOVE_LEFT:
    case EVS_CMD_MOVE_RIGHT:
        if (!t->as_tree)
            return EVS_IGNORED;
        topic_tree_fold(t, c == EVS_CMD_MOVE_LEFT);
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct topics *t = of(s);
    switch (c) {
    case EVS_CMD_REFRESH:
    case EVS_CMD_GO_LOG:
    case EVS_CMD_EDIT: return connecting(t);
    case EVS_CMD_OPEN: return current(s) || (t->as_tree && t->n_nodes);
    case EVS_CMD_GO_MESSAGES:
    case EVS_CMD_GO_PARTITIONS:
    case EVS_CMD_GO_KEYS:
    case EVS_CMD_GO_HEAT:
    case EVS_CMD_GO_WHATIF:
    case EVS_CMD_GO_LAG:
    case EVS_CMD_REPLAY: return current(s) != NULL;
    case EVS_CMD_ALL: return t->hidden > 0;
    case EVS_CMD_PAUSE:
    case EVS_CMD_MODE:
    case EVS_CMD_FILTER: return t->sn && t->sn->n > 0;
    default: return true;
    }
}

static struct evs_table *table(struct evs_screen *s)
{
    return shown_table(of(s));
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    const struct topics *t = of(s);
    evs_buf_adds(out, t->all ? "topics --all" : "topics");
    return true;
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct evs_view v = {&s->ui->surface, 0, 0, s->rows, s->cols, EVS_ROLE_N};
    return evs_table_click(shown_table(of(s)), &v, row, col);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "partitions"),
                                        EVS_HINT(GO_MESSAGES, "messages"),
                                        EVS_HINT(GO_KEYS, "keys"),
                                        EVS_HINT(GO_LAG, "lag"),
                                        EVS_HINT(REPLAY, "replay"),
                                        EVS_HINT(MODE, "tree"),
                                        EVS_HINT(FILTER, "filter"),
                                        EVS_HINT(ALL, "all"),
                                        EVS_HINT(PAUSE, "pause"),
                                        EVS_HINT(REFRESH, "try now"),
                                        EVS_HINT(EDIT, "edit the profile"),
                                        EVS_HINT(GO_LOG, "log"),
                                        EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"N under-repl.", "partitions whose in-sync replicas are fewer than their replicas"},
    {"group stalled", "a group's commits stand still while records wait (L: which)"},
    {"group stopped", "a group has no member, and records wait"},
    {"group rewound", "a group's commits went back"},
    {"hot, skewed", "the fullest partition holds at least 3 times, 1.5 times the mean"},
    {NULL, NULL}};

const struct evs_screen_ops evs_screen_topics = {
    .name = "topics",
    .title = "Topics",
    .about = "what is there and what needs attention, worst first",
    .state_size = sizeof(struct topics),
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
