/* save.c - what leaves the interface to a file or a program. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/slot.h"
#include "ui/app.h"
#include "ui/task.h"

static bool save_all;

static enum evs_rc write_file(const char *path, const struct evs_buf *text, struct evs_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return evs_fail_errno(err, errno, "%s", path);
    size_t done = 0;
    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            int why = errno;
            close(fd);
            return evs_fail_errno(err, why, "%s", path);
        }
        done += (size_t)n;
    }
    return close(fd) ? evs_fail_errno(err, errno, "%s", path) : EVS_OK;
}

/* --- on a thread of its own: a disk may be slow --- */

struct job {
    char *path;
    struct evs_buf text;
};

struct outcome {
    struct evs_snap snap;
    enum evs_rc rc;
    struct evs_err err;
    char said[400];
};

static void free_outcome(struct evs_snap *sn)
{
    evs_free(sn);
}

static void run_job(struct evs_task *t, void *ctx)
{
    struct job *j = ctx;
    char size[EVS_NUM_LEN];
    struct outcome *o = evs_xcalloc(1, sizeof(*o));
    evs_snap_init(&o->snap, free_outcome);
    o->rc = write_file(j->path, &j->text, &o->err);
    snprintf(o->said, sizeof(o->said), "saved %s to %.300s",
             evs_num_bytes(size, (double)j->text.len), j->path);
    evs_task_publish(t, &o->snap);
}

static void free_job(void *ctx)
{
    struct job *j = ctx;
    evs_free(j->path);
    evs_buf_done(&j->text);
    evs_free(j);
}

void evs_app_write(struct evs_ui *ui, const char *path, struct evs_buf *text)
{
    struct evs_err err = EVS_ERR_INIT;
    if (evs_buf_check(text, "what is shown", &err)) {
        evs_ui_fail(ui, &err);
        return;
    }
    if (ui->saving) {
        evs_ui_say(ui, EVS_ROLE_WARN, "the file before is still being written");
        return;
    }
    struct job *j = evs_xcalloc(1, sizeof(*j));
    j->path = evs_xstrdup(path);
    j->text = *text;
    *text = (struct evs_buf)EVS_BUF_INIT(1);
    evs_ui_say(ui, EVS_ROLE_STATUS, "saving %.300s %s", path, evs_glyph(EVS_G_MORE));
    ui->saving = evs_task_start("save", run_job, j, free_job, &ui->wake);
}

bool evs_app_written(struct evs_ui *ui)
{
    struct outcome *o = (struct outcome *)evs_task_take(ui->saving, 0);
    if (!o)
        return false;
    if (o->rc)
        evs_ui_fail(ui, &o->err);
    else
        evs_ui_say(ui, EVS_ROLE_STATUS, "%s", o->said);
    evs_snap_unref(&o->snap);
    evs_task_drop(ui->saving);
    ui->saving = NULL;
    return true;
}

void evs_app_dump(struct evs_ui *ui, const char *path)
{
    struct evs_buf text = EVS_BUF_INIT(1 << 24);
    const struct evs_surface *s = evs_app_frame(ui);
    for (int row = 0; row < s->rows; row++) {
        (void)evs_surface_text(s, row, &text);
        evs_buf_addc(&text, '\n');
    }
    evs_app_write(ui, path, &text);
    evs_buf_done(&text);
}

/* --- asking for the file --- */

static bool save_done(void *ctx, const char *path)
{
    struct evs_ui *ui = ctx;
    struct evs_screen *s = evs_stack_top(ui);
    struct evs_buf text = EVS_BUF_INIT((size_t)1 << 30);
    if (*path && s->ops->save && s->ops->save(s, save_all, &text))
        evs_app_write(ui, path, &text);
    evs_buf_done(&text);
    return true;
}

static bool save_changed(void *ctx, const char *path, char say[EVS_PROMPT_SAY])
{
    (void)ctx;
    bool there = *path && !access(path, F_OK);
    snprintf(say, EVS_PROMPT_SAY, "%s", there ? "exists: another name" : "");
    return !there;
}

bool evs_app_save(struct evs_ui *ui, bool all)
{
    struct evs_screen *s = evs_stack_top(ui);
    if (!s->ops->save)
        return false;
    save_all = all;
    evs_ui_prompt(ui, &(struct evs_prompt_spec){.label = all ? "save all to" : "save to",
                                                .history = "save",
                                                .changed = save_changed,
                                                .done = save_done,
                                                .hints = "Enter save as JSON lines  Esc cancel",
                                                .ctx = ui});
    return true;
}

void evs_app_spawn(struct evs_ui *ui, const char *program, const char *file, const char *input,
                   size_t input_len)
{
    evs_place_set(&ui->spawn, program);
    evs_place_set(&ui->spawn_file, file);
    evs_buf_reset(&ui->spawn_input);
    if (input)
        evs_buf_add(&ui->spawn_input, input, input_len);
}

bool evs_app_edit(struct evs_ui *ui)
{
    const char *editor = getenv("EDITOR");
    if (!ui->opts->config_file) {
        evs_ui_say(ui, EVS_ROLE_WARN, "no configuration file to edit");
        return true;
    }
    evs_app_spawn(ui, editor && *editor ? editor : "vi", ui->opts->config_file, NULL, 0);
    return true;
}
