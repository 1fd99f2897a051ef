#include "cli/out.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/text.h"
#include "core/xalloc.h"

enum { CELL_CAP = 1 << 16, PATIENCE_MS = 500 };

struct evs_table {
    const char *const *heads;
    size_t cols, n, alloc;
    char **cells; /* escaped */
};

struct evs_table *evs_table_new(const char *const *heads)
{
    struct evs_table *t = evs_xcalloc(1, sizeof(*t));
    t->heads = heads;
    while (heads[t->cols])
        t->cols++;
    return t;
}

void evs_table_free(struct evs_table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->n; i++)
        evs_free(t->cells[i]);
    evs_free(t->cells);
    evs_free(t);
}

void evs_table_cell_bytes(struct evs_table *t, const void *p, size_t n)
{
    struct evs_buf b = EVS_BUF_INIT(CELL_CAP);
    evs_text_escape(&b, p, n);
    if (t->n == t->alloc) {
        t->alloc = t->alloc ? t->alloc * 2 : 64;
        t->cells = evs_xgrow(t->cells, t->alloc, sizeof(*t->cells));
    }
    t->cells[t->n++] = evs_buf_steal(&b);
}

void evs_table_cell(struct evs_table *t, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    evs_table_cell_bytes(t, text, n < 0 ? 0 : strlen(text));
}

static void print_row(const struct evs_table *t, char *const *cells, const size_t *widths)
{
    size_t pad = 0;
    bool first = true;
    for (size_t c = 0; c < t->cols; c++) {
        if (!widths[c])
            continue;
        const char *text = cells ? cells[c] : t->heads[c] + (t->heads[c][0] == '>');
        size_t gap = widths[c] - evs_text_width(text, strlen(text));
        bool right = t->heads[c][0] == '>';
        printf("%*s", (int)(pad + (first ? 0 : 2) + (right ? gap : 0)), "");
        fputs(text, stdout);
        pad = right ? 0 : gap; /* no blanks at the end of a line */
        first = false;
    }
    putchar('\n');
}

void evs_table_print(const struct evs_table *t)
{
    size_t *widths = evs_xcalloc(t->cols + 1, sizeof(*widths));
    for (size_t i = 0; i < t->n; i++) {
        size_t w = evs_text_width(t->cells[i], strlen(t->cells[i]));
        if (w > widths[i % t->cols])
            widths[i % t->cols] = w;
    }
    for (size_t c = 0; c < t->cols; c++) {
        size_t w = strlen(t->heads[c]) - (t->heads[c][0] == '>');
        if ((widths[c] || t->n == 0) && widths[c] < w)
            widths[c] = w;
    }
    print_row(t, NULL, widths);
    for (size_t i = 0; i + t->cols <= t->n; i += t->cols)
        print_row(t, t->cells + i, widths);
    evs_free(widths);
}

static int out_error;

static void note(bool failed)
{
    if (failed && !out_error)
        out_error = errno ? errno : EIO;
}

void evs_out_text(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    note(vprintf(fmt, ap) < 0 || putchar('\n') == EOF);
    va_end(ap);
}

/* A signal that is to stop the program does not cut a line in two, unless the reader is stuck. */
static bool send_whole(const char *p, size_t n)
{
    bool hurry = false;
    while (n) {
        struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};
        if (hurry && poll(&out, 1, PATIENCE_MS) <= 0)
            return false;
        size_t chunk = hurry && n > PIPE_BUF ? PIPE_BUF : n;
        ssize_t sent = write(STDOUT_FILENO, p, chunk);
        if (sent < 0 && errno != EINTR)
            return false;
        hurry = hurry || sent < (ssize_t)chunk;
        p += sent < 0 ? 0 : sent;
        n -= sent < 0 ? 0 : (size_t)sent;
    }
    return true;
}

void evs_out_json(struct evs_buf *json)
{
    evs_buf_addc(json, '\n');
    evs_progress_clear();
    note(fflush(stdout) != 0 || !send_whole(json->data, json->len));
    evs_buf_reset(json);
}

void evs_out_part(struct evs_buf *json)
{
    if (json->len)
        note(fwrite(json->data, 1, json->len, stdout) != json->len);
    evs_buf_reset(json);
}

bool evs_out_gone(void)
{
    return out_error != 0 || ferror(stdout);
}

enum evs_rc evs_out_finish(struct evs_err *err)
{
    evs_progress_clear();
    note(fflush(stdout) != 0 || ferror(stdout));
    if (!out_error || out_error == EPIPE || out_error == EINTR)
        return EVS_OK;
    return evs_fail_errno(err, out_error, "standard output");
}

static bool progress_on, progress_shown;

void evs_progress_enable(bool on)
{
    progress_on = on && isatty(STDERR_FILENO);
}

void evs_progress(const char *fmt, ...)
{
    static int64_t last_us;
    int64_t now_us = evs_clock_mono_us();
    if (!progress_on || now_us - last_us < 100000)
        return;
    last_us = now_us;
    char text[200];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    EVS_AUTO(evs_buf) struct evs_buf line = EVS_BUF_INIT(1024);
    evs_text_fit(&line, text, strlen(text), 79, EVS_CUT_END);
    fprintf(stderr, "\r\x1b[K%s", evs_buf_str(&line));
    fflush(stderr);
    progress_shown = true;
}

void evs_progress_clear(void)
{
    if (!progress_shown)
        return;
    fputs("\r\x1b[K", stderr);
    fflush(stderr);
    progress_shown = false;
}
