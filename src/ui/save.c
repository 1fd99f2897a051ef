/* save.c - what leaves the interface to a file or a program. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ui/app.h"

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

static bool save_done(void *ctx, const char *path)
{
    struct evs_ui *ui = ctx;
    struct evs_screen *s = evs_stack_top(ui);
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT((size_t)1 << 30);
    char size[EVS_NUM_LEN];
    if (!*path || !s->ops->save || !s->ops->save(s, save_all, &text))
        return true;
    if (evs_buf_check(&text, "what is shown", &err) || write_file(path, &text, &err)) {
        evs_ui_fail(ui, &err);
        return false;
    }
    evs_ui_say(ui, EVS_ROLE_STATUS, "saved %s to %s", evs_num_bytes(size, (double)text.len), path);
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
