/* heat.c - when was which partition busy: time by partition from offsets, patterns named. */
#include <string.h>

#include "core/clock.h"
#include "core/num.h"
#include "core/xalloc.h"
#include "keys/print.h"
#include "keys/scan.h"
#include "ui/app.h"
#include "ui/screens/heat_int.h"

enum {
    MARGIN = 2,
    BELOW = 6,
    COLUMNS_MIN = 20,
    COLUMNS_MAX = 400,
    REST_MS = 300,
    CELL_READS = 2000
};

/* --- the map, on a task --- */

struct map_work {
    struct evs_client *client;
    struct evs_task *task;
    char *topic;
    struct evs_slices_opts opts;
};

static void map_free(void *ctx)
{
    struct map_work *w = ctx;
    evs_free(w->topic);
    evs_free(w);
}

static void sn_free(struct evs_snap *snap)
{
    struct heat_sn *sn = (struct heat_sn *)snap;
    evs_slices_free(sn->s);
    evs_free(sn);
}

static bool map_step(void *ctx, struct evs_slices *s)
{
    struct map_work *w = ctx;
    struct heat_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, sn_free);
    sn->s = s;
    evs_task_publish(w->task, &sn->snap);
    return !evs_stop_raised(evs_task_stop_flag(w->task));
}

static void map_run(struct evs_task *t, void *ctx)
{
    struct map_work *w = ctx;
    struct evs_err err = EVS_ERR_INIT;
    w->task = t;
    w->opts.step = map_step;
    w->opts.ctx = w;
    enum evs_rc rc = evs_slices_run(w->client, w->topic, &w->opts, &err);
    if (rc == EVS_OK)
        return;
    struct heat_sn *sn = evs_xcalloc(1, sizeof(*sn));
    evs_snap_init(&sn->snap, sn_free);
    evs_bands_say(sn->error, sizeof(sn->error), "%s%s%s",
                  rc == EVS_EOF ? "No message in this time, or none carries a timestamp: nothing "
                                  "to draw."
                                : err.msg,
                  err.hint[0] ? "  fix: " : "", err.hint);
    evs_task_publish(t, &sn->snap);
}

static void start_map(struct evs_screen *s, int64_t from_ms, int64_t to_ms)
{
    struct heat *h = s->state;
    struct map_work *w = evs_xcalloc(1, sizeof(*w));
    int columns = s->cols - HEAT_LABEL - MARGIN;
    columns = columns < COLUMNS_MIN ? COLUMNS_MIN : columns > COLUMNS_MAX ? COLUMNS_MAX : columns;
    w->client = evs_ui_client(s->ui);
    w->topic = evs_xstrdup(s->at.topic);
    w->opts =
        (struct evs_slices_opts){.from_ms = from_ms, .to_ms = to_ms, .columns = (size_t)columns};
    evs_task_drop(h->task);
    h->task = evs_task_start("heat", map_run, w, map_free, evs_ui_wake(s->ui));
    if (h->sn)
        evs_snap_unref(&h->sn->snap);
    h->sn = NULL;
    h->placed = false;
    h->mark = SIZE_MAX;
    h->col = h->row = h->first = 0;
}

/* --- model --- */

int64_t evs_heat_edge(const struct heat *h, size_t col, size_t row)
{
    return h->sn->s->edge[col * h->sn->s->grid.rows + row];
}

static const struct evs_heat_grid *partitions_grid(const struct heat *h)
{
    if (h->fallback)
        return h->seen.sn && h->seen.sn->report->grid.n ? &h->seen.sn->report->grid : NULL;
    return h->sn && h->sn->s && h->sn->s->grid.n ? &h->sn->s->grid : NULL;
}

const struct evs_heat_grid *evs_heat_grid_shown(const struct heat *h)
{
    if (h->keys)
        return h->by_key.n ? &h->by_key : NULL;
    if (h->leaders)
        return h->by_leader.n ? &h->by_leader : NULL;
    return partitions_grid(h);
}

bool evs_heat_by_partition(const struct heat *h)
{
    return !h->keys && !h->leaders;
}

static void group_leaders(struct heat *h)
{
    const struct evs_heat_grid *g = partitions_grid(h);
    const struct evs_slices *s = h->sn ? h->sn->s : NULL;
    evs_heat_grid_done(&h->by_leader);
    evs_free(h->leader_id);
    h->leader_id = NULL;
    h->by_leader.n = 0;
    if (g && s && g->rows == s->grid.rows)
        evs_heat_grid_by(g, s->leader, &h->by_leader, &h->leader_id);
}

/* Partitions, over 64 of them their leaders, the keys' buckets, and round again. */
static void next_mode(struct heat *h)
{
    const struct evs_heat_grid *g = partitions_grid(h);
    bool many = g && g->rows > HEAT_LEADERS_OVER;
    if (h->keys) {
        h->keys = false;
    } else if (h->leaders || !many) {
        h->leaders = false;
        h->keys = true;
    } else {
        h->leaders = true;
        group_leaders(h);
    }
}

uint64_t evs_heat_cell(const struct heat *h, size_t col, size_t row)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    return g->cell[col * g->rows + row];
}

void evs_heat_range(const struct heat *h, size_t *ret_from, size_t *ret_to)
{
    size_t other = h->mark == SIZE_MAX ? h->col : h->mark;
    *ret_from = h->col < other ? h->col : other;
    *ret_to = (h->col > other ? h->col : other) + 1;
}

static void show(struct heat *h)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    if (!g)
        return;
    h->col = h->col < g->n ? h->col : g->n - 1;
    h->row = h->row < g->rows ? h->row : g->rows - 1;
    size_t cols = h->map_cols > 0 ? (size_t)h->map_cols : 1;
    size_t rows = h->map_rows > 0 ? (size_t)h->map_rows : 1;
    if (h->col < h->first)
        h->first = h->col;
    if (h->col >= h->first + cols)
        h->first = h->col - cols + 1;
    if (h->row < h->top)
        h->top = h->row;
    if (h->row >= h->top + rows)
        h->top = h->row - rows + 1;
}

const struct evs_heat_pattern *evs_heat_patterns_shown(const struct heat *h, size_t *ret_n)
{
    const struct evs_slices *s = h->sn ? h->sn->s : NULL;
    const struct evs_report *r = h->fallback && h->seen.sn ? h->seen.sn->report : NULL;
    *ret_n = r ? r->n_patterns : s && !h->fallback ? s->n_patterns : 0;
    return r ? r->pattern : s ? s->pattern : NULL;
}

static void go_pattern(struct heat *h, size_t i)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t n;
    const struct evs_heat_pattern *p = evs_heat_patterns_shown(h, &n);
    if (!n || !g)
        return;
    h->pattern = i % n;
    p = &p[h->pattern];
    h->col = (size_t)((p->from_ts - g->start_ms) / g->bucket_ms);
    if (p->partition >= 0 && evs_heat_by_partition(h))
        h->row = (size_t)p->partition;
    show(h);
}

void evs_heat_moved(struct heat *h)
{
    h->moved_ms = evs_clock_mono_us() / 1000;
    h->asked = false;
    h->placed = true; /* by hand: a finer map does not move it away */
    show(h);
}

/* --- life --- */

static enum evs_rc enter(struct evs_screen *s, struct evs_err *err)
{
    struct heat *h = s->state;
    (void)err;
    h->ui = s->ui;
    h->mark = h->held = SIZE_MAX;
    h->moved_ms = evs_clock_mono_us() / 1000;
    return EVS_OK;
}

static void leave(struct evs_screen *s)
{
    struct heat *h = s->state;
    evs_task_drop(h->task);
    evs_task_drop(h->cell_task);
    if (h->sn)
        evs_snap_unref(&h->sn->snap);
    if (h->cell)
        evs_snap_unref(&h->cell->snap);
    evs_heat_grid_done(&h->by_key);
    evs_heat_grid_done(&h->by_leader);
    evs_free(h->leader_id);
    evs_ui_scan_forget(&h->seen);
    evs_ui_scan_close(h->scan);
}

static void resize(struct evs_screen *s, int rows, int cols)
{
    struct heat *h = s->state;
    h->map_rows = rows - BELOW;
    h->map_cols = cols - HEAT_LABEL;
    if (!h->task && evs_ui_client(s->ui))
        start_map(s, s->at.from_ms, s->at.to_ms);
    show(h);
}

static bool refresh_keys(struct heat *h)
{
    if (!h->scan || !evs_ui_scan_take(h->scan, &h->seen) || !h->seen.sn)
        return false;
    const struct evs_keyset *ks = h->seen.sn->ks;
    evs_heat_grid_done(&h->by_key);
    evs_heat_grid_of(&ks->heat, (size_t)ks->partitions, EVS_KEY_HEAT_ROWS, &h->by_key);
    group_leaders(h);
    if (h->fallback && !h->placed && h->seen.sn->state != EVS_SCAN_RUNNING) {
        h->placed = true;
        go_pattern(h, 0);
    }
    show(h);
    return true;
}

static bool refresh(struct evs_screen *s)
{
    struct heat *h = s->state;
    struct heat_sn *sn =
        (struct heat_sn *)evs_task_take(h->task, h->sn ? h->sn->snap.generation : 0);
    struct cell_sn *cell =
        (struct cell_sn *)evs_task_take(h->cell_task, h->cell ? h->cell->snap.generation : 0);
    bool news = refresh_keys(h);
    if (cell) {
        if (h->cell)
            evs_snap_unref(&h->cell->snap);
        h->cell = cell;
    }
    if (sn) {
        size_t was = h->sn && h->sn->s ? h->sn->s->grid.n : 0;
        if (h->sn)
            evs_snap_unref(&h->sn->snap);
        h->sn = sn;
        if (sn->s && sn->s->untimed) { /* then by reading */
            h->fallback = true;
            h->scan = h->scan ? h->scan : evs_ui_scan_open(s->ui, &s->at);
            refresh_keys(h);
            return true;
        }
        group_leaders(h);
        if (sn->s && sn->s->whole && !h->placed && sn->s->n_patterns)
            go_pattern(h, 0);
        else if (was && sn->s) { /* the same time in more columns */
            h->col = h->col * sn->s->grid.n / was;
            h->mark = h->mark == SIZE_MAX ? SIZE_MAX : h->mark * sn->s->grid.n / was;
            h->asked = h->asked && was == sn->s->grid.n; /* the cell's key was another cell's */
        }
        h->placed |= sn->s && sn->s->whole;
        show(h);
    }
    if (evs_heat_by_partition(h) && !h->fallback && !h->asked && h->sn && h->sn->s &&
        h->sn->s->whole && evs_clock_mono_us() / 1000 - h->moved_ms > REST_MS)
        evs_heat_ask_cell(s);
    return news || sn || cell;
}

/* --- keys --- */

static bool move(struct heat *h, enum evs_command c)
{
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t page = h->map_rows > 1 ? (size_t)h->map_rows : 1;
    if (!g)
        return false;
    switch (c) {
    case EVS_CMD_MOVE_LEFT: h->col -= h->col > 0; break;
    case EVS_CMD_MOVE_RIGHT: h->col++; break;
    case EVS_CMD_MOVE_UP: h->row -= h->row > 0; break;
    case EVS_CMD_MOVE_DOWN: h->row++; break;
    case EVS_CMD_PAGE_UP:
    case EVS_CMD_HALF_UP: h->row -= h->row < page ? h->row : page; break;
    case EVS_CMD_PAGE_DOWN:
    case EVS_CMD_HALF_DOWN: h->row += page; break;
    case EVS_CMD_TOP: h->col = 0; break;
    case EVS_CMD_END: h->col = g->n - 1; break;
    default: return false;
    }
    evs_heat_moved(h);
    return true;
}

static void zoom(struct evs_screen *s)
{
    struct heat *h = s->state;
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t from, to;
    if (h->mark == SIZE_MAX) {
        start_map(s, s->at.from_ms, s->at.to_ms);
        return;
    }
    evs_heat_range(h, &from, &to);
    start_map(s, g->start_ms + (int64_t)from * g->bucket_ms,
              g->start_ms + (int64_t)to * g->bucket_ms - 1);
}

static enum evs_handled command(struct evs_screen *s, enum evs_command c)
{
    struct heat *h = s->state;
    bool map = evs_heat_grid_shown(h) != NULL;
    size_t n;
    (void)evs_heat_patterns_shown(h, &n);
    if (move(h, c))
        return EVS_HANDLED;
    switch (c) {
    case EVS_CMD_MORE: h->bright += h->bright < 9; return EVS_HANDLED;
    case EVS_CMD_LESS: h->bright -= h->bright > -9; return EVS_HANDLED;
    case EVS_CMD_MARK: h->mark = h->mark == SIZE_MAX && map ? h->col : SIZE_MAX; return EVS_HANDLED;
    case EVS_CMD_UNMARK_ALL: h->mark = SIZE_MAX; return EVS_HANDLED;
    case EVS_CMD_REFRESH: start_map(s, s->at.from_ms, s->at.to_ms); return EVS_HANDLED;
    case EVS_CMD_MATCH_NEXT:
    case EVS_CMD_MATCH_PREV:
        if (n && !h->keys)
            go_pattern(h, h->pattern + (c == EVS_CMD_MATCH_NEXT ? 1 : n - 1));
        return EVS_HANDLED;
    case EVS_CMD_MODE:
        next_mode(h);
        if (h->keys && !h->scan)
            h->scan = evs_ui_scan_open(s->ui, &s->at);
        refresh_keys(h);
        evs_heat_moved(h);
        return EVS_HANDLED;
    case EVS_CMD_ZOOM:
        if (map && !h->keys && !h->fallback)
            zoom(s);
        return EVS_HANDLED;
    case EVS_CMD_GO_WHATIF: /* of all, unless a range is marked: one cell is no load */
        if (h->mark != SIZE_MAX)
            return EVS_IGNORED;
        evs_ui_open(s->ui, "whatif", &s->at);
        return EVS_HANDLED;
    case EVS_CMD_OPEN: {
        struct evs_place at = EVS_PLACE_INIT;
        if (!map)
            return EVS_IGNORED;
        evs_place_copy(&at, &s->at);
        s->ops->place(s, &at);
        evs_ui_open(s->ui, "messages", &at);
        evs_place_done(&at);
        return EVS_HANDLED;
    }
    default: return EVS_IGNORED;
    }
}

static bool can(const struct evs_screen *s, enum evs_command c)
{
    const struct heat *h = s->state;
    bool map = evs_heat_grid_shown(h) != NULL;
    size_t n;
    (void)evs_heat_patterns_shown(h, &n);
    switch (c) {
    case EVS_CMD_OPEN:
    case EVS_CMD_MARK:
    case EVS_CMD_MORE:
    case EVS_CMD_LESS:
    case EVS_CMD_GO_KEYS:
    case EVS_CMD_SAVE_ALL: return map;
    case EVS_CMD_ZOOM: return map && !h->keys && !h->fallback;
    case EVS_CMD_MATCH_NEXT: return !h->keys && n > 1;
    default: return true;
    }
}

static void place(const struct evs_screen *s, struct evs_place *to)
{
    const struct heat *h = s->state;
    const struct evs_heat_grid *g = evs_heat_grid_shown(h);
    size_t from, end;
    if (!g)
        return;
    evs_heat_range(h, &from, &end);
    to->from_ms = g->start_ms + (int64_t)from * g->bucket_ms;
    to->to_ms = g->start_ms + (int64_t)end * g->bucket_ms;
    if (!evs_heat_by_partition(h))
        return;
    to->partition = (int32_t)h->row;
    if (h->fallback)
        return;
    to->offset = evs_heat_edge(h, from, h->row);
    to->offset_to = evs_heat_edge(h, end, h->row);
}

static bool save(const struct evs_screen *s, bool all, struct evs_buf *out)
{
    const struct heat *h = s->state;
    (void)all;
    if (h->fallback && h->seen.sn)
        evs_scan_json(out, h->seen.sn, 0);
    else if (h->sn && h->sn->s)
        evs_slices_json(out, h->sn->s);
    else
        return false;
    return evs_buf_addc(out, '\n');
}

static bool command_line(const struct evs_screen *s, struct evs_buf *out)
{
    return evs_buf_printf(out, "keys '%s' --heat", s->at.topic);
}

static bool stop(struct evs_screen *s)
{
    struct heat *h = s->state;
    if (!h->keys && h->task && evs_task_running(h->task)) {
        evs_task_stop(h->task);
        return true;
    }
    return h->scan && evs_ui_scan_stop(h->scan);
}

static const struct evs_hint hints[] = {
    EVS_HINT(OPEN, "messages"),          EVS_HINT(GO_KEYS, "keys here"),
    EVS_HINT(GO_WHATIF, "what-if"),      EVS_HINT(MARK, "range"),
    EVS_HINT2(MORE, LESS, "brightness"), EVS_HINT(MATCH_NEXT, "next pattern"),
    EVS_HINT(MODE, "other rows"),        EVS_HINT(ZOOM, "zoom the range"),
    EVS_HINT(SAVE_ALL, "save"),          EVS_HINTS_END};

static const struct evs_meaning meanings[] = {
    {"Band", "one partition far above the others for a time: a hot key"},
    {"Burst, Gap", "all partitions at once: traffic, an outage"},
    {"Step", "partitions that begin later: the count grew"},
    {"Diagonal", "partitions take turns: batches going round"},
    {NULL, NULL}};

const struct evs_screen_ops evs_screen_heat = {
    .name = "heat",
    .title = "Heat",
    .about = "when was which partition busy",
    .state_size = sizeof(struct heat),
    .needs_topic = true,
    .hints = hints,
    .meanings = meanings,
    .enter = enter,
    .resize = resize,
    .refresh = refresh,
    .draw = evs_heat_draw,
    .leave = leave,
    .bands = evs_heat_bands,
    .command = command,
    .can = can,
    .place = place,
    .command_line = command_line,
    .save = save,
    .stop = stop,
    .click = evs_heat_click,
    .let_go = evs_heat_let_go,
};
