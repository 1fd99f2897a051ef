/* loop.c - poll keys, news and time; one frame, one doupdate(). */
#include "ui/loop.h"

#include <curses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/log.h"
#include "core/thread.h"
#include "filter/jq.h"
#include "ui/app.h"
#include "ui/task.h"
#include "ui/term.h"

enum { FRAME_US = 50000, BLOCKED_MS = 100, KEY_BURST = 128, SPENT_US = 100, SPENT_STEPS = 2000 };
enum { JQ_MS = 1000 }; /* an expression that does not end must not keep a screen */

struct loop {
    struct evs_ui ui;
    struct evs_theme reduced;
    int64_t last_frame_us;
    int64_t shown_second;
    bool due;
    /* From waking to painted, of each frame: by the clock, and of this thread alone. */
    struct spent {
        uint32_t frames, step[SPENT_STEPS]; /* of 0.1 ms */
    } wall, alone;
};

static void reduce_theme(struct loop *l)
{
    struct evs_err err = EVS_ERR_INIT;
    l->reduced = l->ui.theme;
    if (evs_term_depth() == EVS_DEPTH_MONO && evs_theme_load("mono", NULL, &l->reduced, &err))
        l->reduced = l->ui.theme;
    evs_theme_reduce(&l->reduced, evs_term_depth());
    l->ui.theme_changed = false;
    evs_term_repaint();
}

static void run_child(struct loop *l)
{
    struct evs_ui *ui = &l->ui;
    int in[2] = {-1, -1};
    evs_term_leave();
    if (ui->spawn_input.len && pipe(in))
        in[0] = in[1] = -1;
    pid_t pid = fork();
    if (pid == 0) {
        if (in[0] >= 0) {
            dup2(in[0], STDIN_FILENO);
            close(in[1]);
        }
        /* $PAGER and $EDITOR are command lines; the file is an argument, never part of them. */
        char *line = evs_xprintf("%s \"$@\"", ui->spawn);
        execl("/bin/sh", "sh", "-c", line, "sh", ui->spawn_file, (char *)NULL);
        kill(getpid(), SIGKILL);
    }
    if (in[0] >= 0) {
        close(in[0]);
        for (size_t at = 0; at < ui->spawn_input.len;) {
            ssize_t n = write(in[1], ui->spawn_input.data + at, ui->spawn_input.len - at);
            if (n <= 0)
                break;
            at += (size_t)n;
        }
        close(in[1]);
    }
    int status = 0;
    if (pid > 0)
        while (waitpid(pid, &status, 0) < 0)
            ;
    evs_term_enter();
    if (pid < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 127))
        evs_ui_say(ui, EVS_ROLE_BAD, "%s could not be run", ui->spawn);
    evs_place_set(&ui->spawn, NULL);
    evs_place_set(&ui->spawn_file, NULL);
    evs_buf_reset(&ui->spawn_input);
    ui->news = true;
}

static void take_size(struct loop *l)
{
    int rows, cols;
    evs_term_take_size();
    evs_term_size(&rows, &cols);
    if (rows != l->ui.surface.rows || cols != l->ui.surface.cols)
        evs_app_resize(&l->ui, rows, cols);
    l->ui.news = true;
}

static void take_mouse(struct evs_ui *ui, const struct evs_term_mouse *m)
{
    const struct evs_screen *on = evs_stack_top(ui);
    if (m->down || m->wheel)
        evs_app_click(ui, m->row, m->col, m->wheel);
    if (m->up && evs_stack_top(ui) == on)
        evs_app_let_go(ui, m->row, m->col);
}

static void take_keys(struct loop *l)
{
    struct evs_term_mouse m = {0};
    for (int i = 0; i < KEY_BURST && !l->ui.quit; i++) {
        int key = evs_term_key(&m);
        if (!key)
            return;
        if (key == EVS_KEY_MOUSE)
            take_mouse(&l->ui, &m);
        else if (key != EVS_KEY_RESIZE)
            evs_app_key(&l->ui, key);
        l->due = true;
        if (l->ui.spawn || l->ui.suspend)
            return;
    }
}

static void after_keys(struct loop *l)
{
    struct evs_ui *ui = &l->ui;
    static bool mouse = true;
    if (ui->suspend) {
        ui->suspend = false;
        evs_term_suspend(true);
        take_size(l);
    }
    if (ui->spawn)
        run_child(l);
    if (ui->repaint) {
        ui->repaint = false;
        evs_term_repaint();
    }
    if (ui->theme_changed)
        reduce_theme(l);
    if (ui->mouse != mouse) {
        mouse = ui->mouse;
        evs_term_mouse(mouse);
    }
    if (ui->clipboard.len) {
        evs_term_send(ui->clipboard.data, ui->clipboard.len);
        evs_buf_reset(&ui->clipboard);
    }
}

static void frame(struct loop *l)
{
    if (!evs_term_writable()) /* a slow line: this frame is skipped, the next one has its news */
        return;
    const struct evs_surface *s = evs_app_frame(&l->ui);
    if (evs_term_paint(s, &l->reduced)) {
        evs_term_sync(true);
        doupdate();
        evs_term_sync(false);
    }
    l->due = false;
    l->last_frame_us = evs_clock_mono_us();
    l->shown_second = l->ui.now_ms / 1000;
}

/* Milliseconds until something is to be done without a key or news. */
static int wait_ms(const struct loop *l)
{
    int64_t now = evs_clock_mono_us();
    if (l->due || l->ui.news) {
        int64_t left = FRAME_US - (now - l->last_frame_us);
        return left > 0 ? (int)((left + 999) / 1000) : evs_term_writable() ? 0 : BLOCKED_MS;
    }
    int64_t wall = evs_clock_wall_ms();
    int64_t tick = evs_app_live(&l->ui) ? 1000 : 60000;
    return (int)(tick - wall % tick) + 1;
}

static void signals(struct loop *l)
{
    if (evs_term_suspended()) {
        evs_term_suspend(false);
        take_size(l);
    }
    if (evs_term_continued()) {
        evs_term_enter();
        take_size(l);
    }
    if (evs_term_resized())
        take_size(l);
}

static int64_t thread_us(void)
{
    struct timespec t = {0, 0};
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void count_frame(struct spent *s, int64_t us)
{
    int64_t step = us / SPENT_US;
    s->step[step < SPENT_STEPS ? step : SPENT_STEPS - 1]++;
    s->frames++;
}

/* For --log: what keys, news and drawing of a frame took. */
static void log_frames(const struct spent *s, const char *what)
{
    uint32_t seen = 0;
    int at[3] = {0, 0, 0}; /* median, p99, worst */
    for (int i = 0; i < SPENT_STEPS; i++) {
        seen += s->step[i];
        if (seen * 2.0 < s->frames)
            at[0] = i + 1;
        if (seen * 100.0 < s->frames * 99.0)
            at[1] = i + 1;
        if (s->step[i])
            at[2] = i;
    }
    evs_log(EVS_LOG_INFO, "ui: %u frames, %s: median %.1f ms, p99 %.1f ms, worst %.1f ms",
            (unsigned)s->frames, what, at[0] * 0.1, at[1] * 0.1, at[2] * 0.1);
}

static void turn(struct loop *l)
{
    struct evs_ui *ui = &l->ui;
    struct pollfd fds[] = {
        {.fd = evs_term_fd(), .events = POLLIN},
        {.fd = ui->wake.fds[0], .events = POLLIN},
        {.fd = ui->opts->stop ? ui->opts->stop->wake.fds[0] : -1, .events = POLLIN}};
    (void)poll(fds, 3, wait_ms(l));
    int64_t woken_us = evs_clock_mono_us(), spent_us = thread_us();
    if (ui->opts->stop && evs_stop_raised(ui->opts->stop)) {
        ui->quit = true;
        return;
    }
    if (fds[1].revents)
        evs_wake_drain(&ui->wake);
    if (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) && !(fds[0].revents & POLLIN)) {
        ui->quit = true;
        return;
    }
    signals(l);
    bool key = false;
    if (fds[0].revents) {
        take_keys(l);
        after_keys(l);
        key = l->due;
    }
    evs_task_reap();
    bool news = evs_app_refresh(ui);
    int64_t now = evs_clock_mono_us();
    bool live = evs_app_live(ui);
    int64_t second = ui->now_ms / 1000;
    bool clock = live ? second != l->shown_second : second / 60 != l->shown_second / 60;
    if (key || clock || ((news || l->due) && now - l->last_frame_us >= FRAME_US))
        frame(l);
    else
        l->due = l->due || news;
    if (l->last_frame_us >= woken_us) {
        count_frame(&l->wall, l->last_frame_us - woken_us);
        count_frame(&l->alone, thread_us() - spent_us);
    }
}

static bool left_work;

bool evs_ui_left_work(void)
{
    return left_work;
}

enum evs_rc evs_ui_run(const struct evs_ui_opts *opts, struct evs_err *err)
{
    struct loop *l = evs_xcalloc(1, sizeof(*l));
    bool opened = false;
    enum evs_rc rc = evs_app_init(&l->ui, opts, err);
    if (rc)
        goto out;
    evs_thread_yield_to_me();
    evs_jq_limits(opts->stop, JQ_MS);
    struct evs_term_opts how = {.no_color = opts->no_color,
                                .ascii = opts->ascii || evs_text_ascii(),
                                .mouse = !opts->no_mouse,
                                .wake = &l->ui.wake};
    rc = evs_term_open(&how, err);
    if (rc)
        goto out;
    opened = true;
    int rows, cols;
    evs_term_size(&rows, &cols);
    evs_app_resize(&l->ui, rows, cols);
    reduce_theme(l);
    rc = evs_app_start(&l->ui, err);
    if (rc)
        goto out;
    frame(l);
    while (!l->ui.quit)
        turn(l);
    log_frames(&l->wall, "from waking to painted");
    log_frames(&l->alone, "the interface's own time");
out:
    if (opened)
        evs_term_close();
    left_work = !evs_app_done(&l->ui);
    if (!left_work)
        evs_free(l);
    return rc;
}
