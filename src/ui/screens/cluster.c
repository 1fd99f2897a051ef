/* cluster.c - Cluster: who leads what, what is not in sync, how this client is connected. */
#include <stdio.h>
#include <string.h>

#include "kafka/client.h"
#include "kafka/meta.h"
#include "ui/screens/cluster.h"
#include "ui/screens/connecting.h"
#include "ui/screens/topics.h"
#include "ui/task.h"

enum {
    COL_ID,
    COL_HOST,
    COL_ROLE,
    COL_LEADS,
    COL_REPLICAS,
    COL_OUT,
    COL_RATE,
    COL_SPARK,
    COL_REPLY
};
enum { POLL_MS = 5000, OUT_LINES = 6 };

static const struct evs_column cols[] = {
    {"ID", 4, 8, 0, EVS_COL_RIGHT | EVS_COL_COMPACT, "exact", "the broker's number"},
    {"HOST", 12, 80, 0, EVS_COL_GROW | EVS_COL_MIDDLE | EVS_COL_COMPACT, "exact",
     "as the cluster advertises it"},
    {"ROLE", 10, 12, 4, 0, "exact", "the controller decides who leads"},
    {"LEADS", 5, 8, 0, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "partitions it leads"},
    {"REPLICAS", 8, 8, 2, EVS_COL_RIGHT | EVS_COL_DESC, "exact", "partitions it holds a copy of"},
    {"NOT IN SYNC", 11, 11, 0, EVS_COL_RIGHT | EVS_COL_DESC, "exact",
     "copies it holds that lag behind their leader"},
    {"IN/s", 6, 10, 3, EVS_COL_RIGHT | EVS_COL_DESC, "exact",
     "IN/s counts the messages of the partitions it leads"},
    {"LAST 15 MIN", 15, 15, 1, EVS_COL_CHART, NULL, "IN/s, a column a minute"},
    {"REPLY", 7, 9, 1, EVS_COL_RIGHT | EVS_COL_DESC, "exact",
     "how long its last answer to a question for an offset took"},
};

static size_t count(const void *ctx)
{
    const struct cluster *c = ctx;
    return c->sn ? (size_t)c->sn->n : 0;
}

static const struct evs_broker_row *row_at(const void *ctx, size_t row)
{
    return &((const struct cluster *)ctx)->sn->rows[row];
}

static void host_field(const struct cluster *c, const struct evs_broker_row *r, struct evs_field *f)
{
    char ago[EVS_NUM_LEN];
    if (r->lost_since_ms)
        evs_field_printf(f, EVS_ROLE_BAD, "%s:%d %s no reply for %s", r->host, r->port,
                         evs_glyph(EVS_G_DOWN),
                         evs_num_ago(ago, evs_ui_now_ms(c->ui) - r->lost_since_ms));
    else
        evs_field_printf(f, EVS_ROLE_TEXT, "%s:%d", r->host, r->port);
}

static void field(const void *ctx, size_t row, int col, struct evs_field *f)
{
    const struct cluster *c = ctx;
    const struct evs_broker_row *r = row_at(ctx, row);
    char num[EVS_NUM_LEN];
    switch (col) {
    case COL_ID: evs_field_printf(f, EVS_ROLE_TEXT, "%d", r->id); break;
    case COL_HOST: host_field(c, r, f); break;
    case COL_ROLE: evs_field_set(f, EVS_ROLE_TEXT, r->controller ? "controller" : ""); break;
    case COL_LEADS: evs_field_count(f, EVS_ROLE_TEXT, r->leads); break;
    case COL_REPLICAS: evs_field_count(f, EVS_ROLE_TEXT, r->replicas); break;
    case COL_OUT:
        evs_field_count(f, r->not_in_sync ? EVS_ROLE_BAD : EVS_ROLE_TEXT, r->not_in_sync);
        break;
    case COL_REPLY:
        if (r->reply_ms >= 0)
            evs_field_printf(f, EVS_ROLE_TEXT, r->reply_ms < 9.95 ? "%.1f ms" : "%.0f ms",
                             r->reply_ms);
        else
            evs_field_set(f, EVS_ROLE_NUM_UNKNOWN, evs_glyph(EVS_G_NONE));
        break;
    default:
        evs_field_set(f, r->rate >= 0 ? EVS_ROLE_TEXT : EVS_ROLE_NUM_UNKNOWN,
                      r->rate >= 0 ? evs_ui_rate(c->ui, num, r->rate) : evs_glyph(EVS_G_MORE));
        break;
    }
}

static void chart(const void *ctx, size_t row, int col, struct evs_view *v)
{
    (void)col;
    topic_spark(row_at(ctx, row)->spark, v);
}

static int compare(const void *ctx, size_t a, size_t b, int col)
{
    const struct evs_broker_row *ra = row_at(ctx, a), *rb = row_at(ctx, b);
    switch (col) {
    case COL_HOST: return strcmp(ra->host, rb->host);
    case COL_ROLE: return ra->controller - rb->controller;
    case COL_LEADS: return (ra->leads > rb->leads) - (ra->leads < rb->leads);
    case COL_REPLICAS: return (ra->replicas > rb->replicas) - (ra->replicas < rb->replicas);
    case COL_OUT: return (ra->not_in_sync > rb->not_in_sync) - (ra->not_in_sync < rb->not_in_sync);
    case COL_REPLY: return (ra->reply_ms > rb->reply_ms) - (ra->reply_ms < rb->reply_ms);
    case COL_RATE: return (ra->rate > rb->rate) - (ra->rate < rb->rate);
    default: return (ra->id > rb->id) - (ra->id < rb->id);
    }
}

static uint64_t id(const void *ctx, size_t row)
{
    return (uint64_t)row_at(ctx, row)->id;
}

static bool col_hidden(const void *ctx, int col)
{
    const struct cluster *c = ctx;
    return col == COL_ROLE && c->sn && c->sn->controller < 1;
}

static const struct evs_table_ops table_ops = {
    .cols = cols,
    .n_cols = EVS_COUNT(cols),
    .count = count,
    .field = field,
    .chart = chart,
    .compare = compare,
    .id = id,
    .col_hidden = col_hidden,
};

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct cluster *c = cluster_of(s);
    c->ui = s->ui;
    evs_table_init(&c->table, &table_ops, c, COL_LEADS, COL_ID, false);
    evs_table_init(&c->topics, &cluster_led_ops, c, 1, 1, true);
    if (!evs_ui_client(s->ui))
        return evs_fail(err, EVS_INVALID, "there is no cluster yet");
    evs_connecting_examine(s->ui); /* certificate and clock */
    return evs_brokers_start(evs_ui_client(s->ui), POLL_MS, evs_ui_wake(s->ui), &c->brokers, err);
}

static void free_brokers(void *brokers)
{
    evs_brokers_free(brokers);
}

static void leave(struct evs_screen *s)
{
    struct cluster *c = cluster_of(s);
    evs_table_done(&c->table);
    evs_table_done(&c->topics);
    evs_free(c->led);
    evs_task_retire("brokers", free_brokers, c->brokers);
    evs_snap_unref(c->sn ? &c->sn->snap : NULL);
}

/* Two panes of text below the table while there is room. */
static int table_rows(const struct evs_screen *s)
{
    const struct cluster *c = cluster_of(s);
    int want = 1 + (c->sn ? c->sn->n : 3);
    int most = s->rows >= 14 ? s->rows - 8 : s->rows;
    return want < most ? want : most;
}

static void fit(struct evs_screen *s)
{
    struct cluster *c = cluster_of(s);
    int rows = table_rows(s), left = s->rows - rows - 2;
    evs_table_resize(&c->table, rows);
    evs_table_resize(&c->topics, left > 1 ? left : s->rows);
}

/* Where there is no room for both, one at a time. */
static bool both(const struct evs_screen *s)
{
    return s->rows - table_rows(s) >= 5;
}

static void resize(struct evs_screen *s, int rows, int n_cols)
{
    (void)rows;
    (void)n_cols;
    fit(s);
}

static bool refresh(struct evs_screen *s)
{
    struct cluster *c = cluster_of(s);
    struct evs_brokers_sn *sn = evs_brokers_take(c->brokers, c->sn ? c->sn->snap.generation : 0);
    bool told = evs_connecting_refresh(s->ui);
    if (!sn)
        return told;
    evs_snap_unref(c->sn ? &c->sn->snap : NULL);
    c->sn = sn;
    evs_table_update(&c->table);
    cluster_find_led(c);
    fit(s);
    return true;
}

static const struct evs_broker_row *current(const struct evs_screen *s)
{
    const struct cluster *c = cluster_of(s);
    size_t row = evs_table_row(&c->table);
    return row == SIZE_MAX ? NULL : &c->sn->rows[row];
}

static bool lags(const struct evs_meta_partition *p, int32_t broker)
{
    bool replica = false;
    for (int i = 0; i < p->n_isr; i++)
        if (p->isr[i] == broker)
            return false;
    for (int i = 0; i < p->n_replicas; i++)
        replica = replica || p->replicas[i] == broker;
    return replica;
}

/* "OrdersTopic_v2 p1 p4", one topic after another. */
static int draw_lagging(const struct cluster *c, int32_t broker, struct evs_view *v, int row)
{
    int top = row;
    for (int t = 0; t < c->sn->meta->n_topics && row - top < OUT_LINES; t++) {
        const struct evs_meta_topic *topic = &c->sn->meta->topics[t];
        char text[400];
        size_t n = 0;
        for (int p = 0; p < topic->n_partitions && n + 16 < sizeof(text); p++)
            if (lags(&topic->partitions[p], broker))
                n += (size_t)snprintf(text + n, sizeof(text) - n, " p%d",
                                      topic->partitions[p].partition);
        if (!n)
            continue;
        int at = 2 + evs_view_fit(v, row, 2, 60, EVS_ROLE_TEXT, topic->name, strlen(topic->name),
                                  EVS_CUT_MIDDLE);
        evs_view_fit(v, row++, at, v->cols - at - 1, EVS_ROLE_BAD, text, n, EVS_CUT_END);
    }
    return row;
}

static void draw_client(const struct cluster *c, struct evs_view *v, int row)
{
    const struct evs_client_conf *conf = evs_client_conf(evs_ui_client(c->ui));
    static const struct {
        const char *prop, *before, *none;
    } parts[] = {{"security.protocol", "", "plaintext"},
                 {"sasl.mechanism", "", NULL},
                 {"sasl.username", "user ", NULL},
                 {"client.id", "client.id ", NULL}};
    int at = 2;
    for (size_t i = 0; i < EVS_COUNT(parts); i++) {
        const char *value = evs_client_conf_get(conf, parts[i].prop);
        if (!value)
            value = parts[i].none;
        if (value)
            at += evs_view_printf(v, row, at, EVS_ROLE_TEXT, "%s%.80s", parts[i].before, value) + 2;
    }
    evs_view_printf(v, row, at, EVS_ROLE_TEXT, "librdkafka %s", evs_client_library_version());
    static const char *const told[] = {"TLS", "clock"};
    for (size_t i = 0; i < EVS_COUNT(told); i++) {
        const char *text = evs_connecting_text(c->ui, told[i]);
        if (text && ++row < v->rows) {
            at = 2 + evs_view_printf(v, row, 2, EVS_ROLE_TEXT_DIM, "%s", told[i]) + 2;
            int used = evs_view_wrap(v, row, at, v->rows - row, EVS_ROLE_TEXT, text);
            row += used > 1 ? used - 1 : 0;
        }
    }
}

static void draw_led(const struct evs_screen *s, struct evs_view *v, int at)
{
    const struct cluster *c = cluster_of(s);
    char title[80];
    snprintf(title, sizeof(title), "led by broker %d", c->of);
    evs_view_rule(v, at, title, NULL, c->on_led);
    struct evs_view below = evs_view_sub(v, at + 1, 0, v->rows - at - 1, v->cols);
    struct evs_table t = c->topics;
    t.focused = c->on_led;
    evs_table_draw(&t, &below);
    if (!c->n_led)
        evs_view_text(&below, 1, 2, EVS_ROLE_TEXT_DIM, "It leads no partition.");
}

static void draw(const struct evs_screen *s, struct evs_view *v)
{
    const struct cluster *c = cluster_of(s);
    const struct evs_broker_row *row = current(s);
    int rows = table_rows(s), at = rows + 1;
    struct evs_view top = evs_view_sub(v, 0, 0, rows, v->cols);
    struct evs_table t = c->table;
    t.focused = !c->on_led;
    if (c->open && c->on_led && !both(s)) {
        draw_led(s, v, 0);
        return;
    }
    evs_table_draw(&t, &top);
    if (c->open && both(s)) {
        draw_led(s, v, rows);
        return;
    }
    if (!c->sn) {
        evs_view_printf(v, 1, 2, EVS_ROLE_TEXT_DIM, "asking for the brokers %s",
                        evs_glyph(EVS_G_MORE));
        return;
    }
    if (v->rows < 14)
        return;
    if (row && row->not_in_sync) {
        char title[64];
        snprintf(title, sizeof(title), "not in sync on broker %d", row->id);
        evs_view_rule(v, at++, title, NULL, false);
        at = draw_lagging(c, row->id, v, at) + 1;
    }
    evs_view_rule(v, at++, "this client", NULL, false);
    draw_client(c, v, at);
}

static void bands(const struct evs_screen *s, struct evs_bands *b)
{
    const struct cluster *c = cluster_of(s);
    char at[EVS_NUM_LEN], controller[24] = "", topics[EVS_NUM_LEN], partitions[EVS_NUM_LEN];
    b->live = true;
    if (!c->sn)
        return;
    const char *dot = evs_glyph(EVS_G_DOT);
    if (c->sn->controller >= 0)
        snprintf(controller, sizeof(controller), "controller %d %s ", c->sn->controller, dot);
    evs_bands_say(b->right, sizeof(b->right), "id %s %s %s%s topic%s, %s partitions",
                  c->sn->cluster_id ? c->sn->cluster_id : evs_glyph(EVS_G_NONE), dot, controller,
                  evs_num_commas(topics, c->sn->topics), c->sn->topics == 1 ? "" : "s",
                  evs_num_commas(partitions, c->sn->partitions));
    evs_num_moment(at, c->sn->at_ms, evs_ui_now_ms(s->ui), 1000);
    evs_bands_say(b->value, sizeof(b->value), "metadata %s", at);
    evs_bands_table(b, c->on_led ? &c->topics : &c->table, c->on_led ? 0 : COL_ID);
}

static void open_led(struct evs_screen *s)
{
    struct cluster *c = cluster_of(s);
    const struct evs_broker_row *row = current(s);
    if (!row)
        return;
    c->open = c->on_led = true;
    c->of = row->id;
    cluster_find_led(c);
    fit(s);
}

static enum evs_handled command(struct evs_screen *s, enum evs_command cmd)
{
    struct cluster *c = cluster_of(s);
    switch (cmd) {
    case EVS_CMD_REFRESH:
        evs_brokers_refresh(c->brokers);
        evs_ui_say(s->ui, EVS_ROLE_STATUS, "asking the cluster again");
        return EVS_HANDLED;
    case EVS_CMD_OPEN:
        if (!c->on_led) {
            open_led(s);
        } else if (cluster_led_row(c)) {
            struct evs_place at = EVS_PLACE_INIT;
            s->ops->place(s, &at);
            evs_ui_open(s->ui, "partitions", &at);
            evs_place_done(&at);
        }
        return EVS_HANDLED;
    case EVS_CMD_PANE_NEXT:
    case EVS_CMD_PANE_PREV: c->on_led = c->open && !c->on_led; return EVS_HANDLED;
    case EVS_CMD_BACK:
    case EVS_CMD_CLOSE:
        if (!c->open)
            return EVS_IGNORED;
        c->open = c->on_led = false;
        fit(s);
        return EVS_HANDLED;
    default: return EVS_IGNORED;
    }
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct cluster *c = cluster_of(s);
    const struct led *l = c->on_led ? cluster_led_row(c) : NULL;
    if (!l)
        return;
    evs_place_set(&to->topic, l->topic->name);
    to->partition = cluster_led_first(c, l);
}

static bool can(const struct evs_screen *s, enum evs_command cmd)
{
    const struct cluster *c = cluster_of(s);
    switch (cmd) {
    case EVS_CMD_OPEN:
    case EVS_CMD_COPY:
    case EVS_CMD_FILTER: return c->on_led ? cluster_led_row(c) != NULL : current(s) != NULL;
    case EVS_CMD_PANE_NEXT: return c->open;
    default: return true;
    }
}

static struct evs_table *table(struct evs_screen *s)
{
    struct cluster *c = cluster_of(s);
    return c->on_led ? &c->topics : &c->table;
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    (void)s;
    return evs_buf_adds(out, "topics --json");
}

static bool click(struct evs_screen *s, int row, int col)
{
    struct cluster *c = cluster_of(s);
    struct evs_view v = {&s->ui->surface, 0, 0, table_rows(s), s->cols, EVS_ROLE_N};
    int top = both(s) ? v.rows + 1 : 1;
    if (c->open && row >= top && (both(s) || c->on_led)) {
        c->on_led = true;
        v.rows = s->rows - top;
        return evs_table_click(&c->topics, &v, row - top, col);
    }
    c->on_led = false;
    return row < v.rows && evs_table_click(&c->table, &v, row, col);
}

static const struct evs_hint hints[] = {EVS_HINT(OPEN, "its topics"),
                                        EVS_HINT(REFRESH, "refresh"),
                                        EVS_HINT(PANE_NEXT, "pane"),
                                        EVS_HINT(COPY, "copy"),
                                        EVS_HINT(FILTER, "filter"),
                                        EVS_HINT(GO_LOG, "log"),
                                        EVS_HINTS_END};

const struct evs_screen_ops evs_screen_cluster = {
    .name = "cluster",
    .title = "Cluster",
    .about = "brokers: who leads what, what is not in sync",
    .state_size = sizeof(struct cluster),
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
    .command_line = command_line,
    .click = click,
};
