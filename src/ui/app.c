#include "ui/app.h"
#include "ui/replays.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "kafka/client.h"
#include "ui/clip.h"
#include "ui/task.h"

static enum evs_rc load_keys(struct evs_ui *ui, struct evs_err *err)
{
    char path[512];
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(256 * 1024);
    struct evs_err no_file = EVS_ERR_INIT;
    evs_keymap_init(&ui->keys);
    if (!ui->opts->config_dir)
        return EVS_OK;
    snprintf(path, sizeof(path), "%s/keys", ui->opts->config_dir);
    if (evs_buf_read_file(&text, path, &no_file))
        return no_file.code == EVS_INVALID ? evs_fail(err, EVS_INVALID, "%s", no_file.msg) : EVS_OK;
    return evs_keymap_parse(&ui->keys, evs_buf_str(&text), text.len, path, evs_screen_known, err);
}

static enum evs_rc load_theme(struct evs_ui *ui, const char *name, struct evs_theme *to,
                              struct evs_err *err)
{
    char dir[512];
    const char *conf = ui->opts->config_dir;
    if (conf)
        snprintf(dir, sizeof(dir), "%s/themes", conf);
    return evs_theme_load(name, conf ? dir : NULL, to, err);
}

enum evs_rc evs_app_init(struct evs_ui *ui, const struct evs_ui_opts *opts, struct evs_err *err)
{
    memset(ui, 0, sizeof(*ui));
    ui->opts = opts;
    ui->client = opts->client;
    ui->last_at = (struct evs_place)EVS_PLACE_INIT;
    ui->clipboard = (struct evs_buf)EVS_BUF_INIT(256 * 1024);
    ui->spawn_input = (struct evs_buf)EVS_BUF_INIT(128 << 20);
    ui->mouse = !opts->no_mouse;
    ui->demo = opts->demo;
    ui->wake.fds[0] = ui->wake.fds[1] = -1;
    ui->errors_seen = evs_log_count(EVS_LOG_ERROR);
    ui->now_ms = evs_clock_wall_ms();
    evs_surface_init(&ui->surface);
    evs_glyph_set_ladder(evs_text_ascii() ? EVS_LADDER_ASCII : EVS_LADDER_EIGHTH);
    enum evs_rc rc = evs_wake_init(&ui->wake, err);
    if (rc)
        return rc;
    rc = load_keys(ui, err);
    return rc ? rc : load_theme(ui, opts->theme ? opts->theme : "default", &ui->theme, err);
}

enum evs_rc evs_app_start(struct evs_ui *ui, struct evs_err *err)
{
    const char *root = ui->client ? "topics" : "first-run";
    const char *first = ui->client && ui->opts->screen ? ui->opts->screen : root;
    const struct evs_screen_ops *ops = evs_screen_find(root);
    enum evs_rc rc = evs_stack_push(ui, ops ? ops : evs_screens[0], ui->opts->at, err);
    ops = evs_screen_find(first);
    if (!rc && ops && strcmp(first, root))
        rc = evs_stack_push(ui, ops, ui->opts->at, err);
    return rc;
}

bool evs_app_done(struct evs_ui *ui)
{
    evs_app_close_overlay(ui);
    while (ui->n_stack)
        evs_stack_pop(ui);
    evs_data_done(ui);
    evs_task_drop(ui->saving);
    while (evs_ui_replays())
        evs_ui_replay_drop(evs_ui_replays());
    bool all = evs_task_reap_all();
    evs_place_done(&ui->last_at);
    evs_histories_done(&ui->histories);
    evs_keymap_done(&ui->keys);
    evs_surface_done(&ui->surface);
    evs_buf_done(&ui->clipboard);
    evs_buf_done(&ui->spawn_input);
    evs_free(ui->spawn);
    evs_free(ui->spawn_file);
    if (all)
        evs_wake_done(&ui->wake);
    return all;
}

void evs_app_fit(struct evs_ui *ui)
{
    struct evs_frame f;
    evs_frame_of(ui->surface.rows, ui->surface.cols, &f);
    struct evs_screen *s = evs_stack_top(ui);
    if (!s)
        return;
    s->rows = f.body_rows;
    s->cols = ui->surface.cols;
    if (s->ops->resize)
        s->ops->resize(s, s->rows, s->cols);
}

void evs_app_resize(struct evs_ui *ui, int rows, int cols)
{
    evs_surface_resize(&ui->surface, rows, cols);
    evs_app_fit(ui);
    ui->news = true;
}

/* A new error of the log shows once in the status line. */
static void show_new_error(struct evs_ui *ui)
{
    uint64_t errors = evs_log_count(EVS_LOG_ERROR), last;
    if (errors == ui->errors_seen)
        return;
    ui->errors_seen = errors;
    static struct evs_log_line lines[EVS_LOG_RING];
    size_t n = evs_log_copy(0, lines, EVS_LOG_RING, &last);
    for (size_t i = n; i > 0; i--)
        if (lines[i - 1].level == EVS_LOG_ERROR) {
            evs_ui_say(ui, EVS_ROLE_BAD, "%s", lines[i - 1].text);
            return;
        }
}

bool evs_app_refresh(struct evs_ui *ui)
{
    ui->now_ms = evs_clock_wall_ms();
    show_new_error(ui);
    if (evs_data_refresh(ui))
        ui->news = true;
    if (evs_ui_replays_refresh(ui))
        ui->news = true;
    if (evs_app_written(ui))
        ui->news = true;
    struct evs_screen *s = evs_stack_top(ui);
    if (s && s->ops->refresh(s))
        ui->news = true;
    return ui->news;
}

bool evs_app_live(const struct evs_ui *ui)
{
    struct evs_screen *s = evs_stack_top(ui);
    struct evs_bands b = {.role = EVS_ROLE_STATUS};
    if (s && s->ops->bands)
        s->ops->bands(s, &b);
    return b.live || b.progress.active;
}

static void draw_too_small(struct evs_ui *ui, struct evs_view *all)
{
    char text[64];
    snprintf(text, sizeof(text), "too small: %dx%d, needs %dx%d", all->cols, all->rows,
             EVS_MIN_COLS, EVS_MIN_ROWS);
    evs_view_text(all, 0, 0, EVS_ROLE_TEXT, text);
    (void)ui;
}

const struct evs_surface *evs_app_frame(struct evs_ui *ui)
{
    ui->news = false;
    evs_surface_clear(&ui->surface);
    struct evs_view all = evs_view_all(&ui->surface);
    if (all.rows < EVS_MIN_ROWS || all.cols < EVS_MIN_COLS) {
        draw_too_small(ui, &all);
        return &ui->surface;
    }
    struct evs_frame f;
    evs_frame_of(all.rows, all.cols, &f);
    const struct evs_screen *s = evs_stack_top(ui);
    if (s) {
        struct evs_view body = evs_view_sub(&all, f.body, 0, f.body_rows, all.cols);
        s->ops->draw(s, &body);
    }
    evs_bands_draw(ui, &f, &all);
    return &ui->surface;
}

bool evs_app_theme(struct evs_ui *ui, const char *name)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_theme theme;
    if (load_theme(ui, name, &theme, &err)) {
        evs_ui_fail(ui, &err);
        return false;
    }
    ui->theme = theme;
    ui->theme_changed = ui->news = true;
    evs_ui_say(ui, EVS_ROLE_STATUS, "theme %s", name);
    return true;
}

void evs_app_connect(struct evs_ui *ui, enum evs_ui_connect how, const char *text)
{
    struct evs_err err = EVS_ERR_INIT;
    struct evs_client *client = NULL;
    char said[200] = "";
    if (!ui->opts->connect) {
        evs_ui_say(ui, EVS_ROLE_WARN, "start again with -b BROKERS");
        return;
    }
    if (how == EVS_CONNECT_STARTER) /* where it goes */
        text = ui->opts->config_dir ? ui->opts->config_dir : ".";
    for (struct evs_ui_replay *r = ui->client ? evs_ui_replays() : NULL; r; r = r->next)
        if (!evs_ui_replay_ended(r)) {
            evs_ui_say(ui, EVS_ROLE_WARN, "a replay runs here: J shows it");
            return;
        }
    if (ui->opts->connect(ui->opts->ctx, how, text, &client, said, &err)) {
        evs_ui_fail(ui, &err);
        return;
    }
    if (client) {
        while (ui->n_stack)
            evs_stack_pop(ui);
        evs_data_done(ui);
        ui->switched = ui->client != NULL;
        evs_place_set(&ui->last_at.topic, NULL);
        ui->last_ops = NULL;
        ui->client = client;
        ui->demo = how == EVS_CONNECT_SAMPLE;
        if (evs_app_start(ui, &err))
            evs_ui_fail(ui, &err);
    }
    if (said[0])
        evs_ui_say(ui, EVS_ROLE_STATUS, "%s", said);
}

/* --- services ------------------------------------------------------------------------------- */

struct evs_client *evs_ui_client(struct evs_ui *ui)
{
    return ui->client;
}

const struct evs_wake *evs_ui_wake(struct evs_ui *ui)
{
    return &ui->wake;
}

const struct evs_ui_opts *evs_ui_options(const struct evs_ui *ui)
{
    return ui->opts;
}

int64_t evs_ui_now_ms(const struct evs_ui *ui)
{
    return ui->now_ms;
}

bool evs_ui_locked(const struct evs_ui *ui)
{
    return ui->client && evs_client_conf(ui->client)->read_only;
}

void evs_ui_open(struct evs_ui *ui, const char *screen, const struct evs_place *at)
{
    const struct evs_screen_ops *ops = evs_screen_find(screen);
    struct evs_err err = EVS_ERR_INIT;
    if (!ops)
        evs_ui_say(ui, EVS_ROLE_WARN, "this build has no screen %s", screen);
    else if (!ui->client && !ops->offline)
        evs_ui_say(ui, EVS_ROLE_WARN, "%s needs a cluster", ops->title);
    else if (ops->needs_topic && (!at || !at->topic))
        evs_ui_say(ui, EVS_ROLE_WARN, "%s needs a topic: choose one (1) first", ops->title);
    else if (evs_stack_push(ui, ops, at, &err))
        evs_ui_fail(ui, &err);
}

void evs_ui_back(struct evs_ui *ui)
{
    if (ui->n_stack > 1)
        evs_stack_pop(ui);
    ui->news = true;
}

void evs_ui_say(struct evs_ui *ui, enum evs_role role, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(ui->said, sizeof(ui->said), fmt, ap);
    va_end(ap);
    ui->said_role = role;
    ui->news = true;
}

void evs_ui_fail(struct evs_ui *ui, const struct evs_err *err)
{
    evs_ui_say(ui, EVS_ROLE_BAD, "%s%s%s", err->msg, err->hint[0] ? "  fix: " : "", err->hint);
}

void evs_ui_copy(struct evs_ui *ui, const void *p, size_t n)
{
    char size[EVS_NUM_LEN];
    evs_num_bytes(size, (double)n);
    evs_buf_reset(&ui->clipboard);
    if (evs_clip_sequence(p, n, evs_clip_wrap_env(), &ui->clipboard))
        evs_ui_say(ui, EVS_ROLE_STATUS, "copied %s", size);
    else
        evs_ui_say(ui, EVS_ROLE_WARN, "too big for the clipboard (%s): s saves it", size);
}

void evs_ui_set_jobs(struct evs_ui *ui, const char *text)
{
    if (strcmp(ui->jobs, text))
        ui->news = true;
    snprintf(ui->jobs, sizeof(ui->jobs), "%s", text);
}

void evs_ui_set_quit_question(struct evs_ui *ui, const char *text)
{
    snprintf(ui->quit_question, sizeof(ui->quit_question), "%s", text ? text : "");
}

bool evs_ui_exact(const struct evs_ui *ui)
{
    return ui->exact;
}

static const char *unknown(char *to)
{
    snprintf(to, EVS_NUM_LEN, "%s", evs_glyph(EVS_G_NONE));
    return to;
}

const char *evs_ui_num(const struct evs_ui *ui, char *to, int64_t v)
{
    if (v < 0)
        return unknown(to);
    return ui->exact ? evs_num_commas(to, v) : evs_num_human(to, (double)v);
}

const char *evs_ui_bytes(const struct evs_ui *ui, char *to, int64_t v)
{
    if (v < 0)
        return unknown(to);
    return ui->exact ? evs_num_commas(to, v) : evs_num_bytes(to, (double)v);
}

const char *evs_ui_rate(const struct evs_ui *ui, char *to, double per_second)
{
    if (!(per_second >= 0))
        return unknown(to);
    if (per_second == 0)
        snprintf(to, EVS_NUM_LEN, "0");
    else if (per_second < 9.95)
        snprintf(to, EVS_NUM_LEN, "%.1f", per_second);
    else if (per_second < 999.5)
        snprintf(to, EVS_NUM_LEN, "%.0f", per_second);
    else
        return evs_ui_num(ui, to, (int64_t)(per_second + 0.5));
    return to;
}

const char *evs_ui_moment(const struct evs_ui *ui, char *to, int64_t ts_ms)
{
    return ts_ms >= 0 && ui->time_mode == EVS_TIME_CLOCK ? evs_num_moment(to, ts_ms, ui->now_ms, 0)
                                                         : evs_ui_time(ui, to, ts_ms);
}

const char *evs_ui_time(const struct evs_ui *ui, char *to, int64_t ts_ms)
{
    if (ts_ms < 0)
        return unknown(to);
    switch (ui->time_mode) {
    case EVS_TIME_ISO: return evs_num_iso(to, ts_ms);
    case EVS_TIME_AGE: return evs_num_ago(to, ui->now_ms > ts_ms ? ui->now_ms - ts_ms : 0);
    case EVS_TIME_EPOCH: snprintf(to, EVS_NUM_LEN, "%lld", (long long)ts_ms); return to;
    default: return evs_num_clock(to, ts_ms, ui->now_ms);
    }
}
