#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/clock.h"
#include "core/num.h"
#include "core/text.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static FILE *file;
static enum evs_log_level file_level = EVS_LOG_INFO;
static struct evs_log_line ring[EVS_LOG_RING];
static uint64_t last; /* number of the newest line */
static uint64_t counts[EVS_LOG_ERROR + 1];

enum evs_rc evs_log_open(const char *path, struct evs_err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "a");
    if (!f) {
        int saved = errno;
        if (fd >= 0)
            close(fd);
        return evs_fail_errno(err, saved, "log %s", path);
    }
    evs_log_close();
    pthread_mutex_lock(&lock);
    file = f;
    pthread_mutex_unlock(&lock);
    return EVS_OK;
}

void evs_log_set_level(enum evs_log_level level)
{
    pthread_mutex_lock(&lock);
    file_level = level;
    pthread_mutex_unlock(&lock);
}

const char *evs_log_level_name(enum evs_log_level level)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    return names[level];
}

static void keep(enum evs_log_level level, int64_t ts_ms, const char *text)
{
    counts[level]++;
    if (level >= EVS_LOG_INFO) {
        struct evs_log_line *line = &ring[++last % EVS_LOG_RING];
        line->ts_ms = ts_ms;
        line->level = level;
        snprintf(line->text, sizeof(line->text), "%s", text);
    }
    if (file && level >= file_level) {
        char when[EVS_NUM_LEN];
        fprintf(file, "%s %-5s %s\n", evs_num_iso(when, ts_ms), evs_log_level_name(level), text);
        fflush(file);
    }
}

void evs_log(enum evs_log_level level, const char *fmt, ...)
{
    char raw[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(raw, sizeof(raw), fmt, ap);
    va_end(ap);
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(8192);
    evs_text_escape(&text, raw, strlen(raw));
    int64_t now = evs_clock_wall_ms();
    pthread_mutex_lock(&lock);
    keep(level, now, evs_buf_str(&text));
    pthread_mutex_unlock(&lock);
}

void evs_log_close(void)
{
    pthread_mutex_lock(&lock);
    if (file)
        fclose(file);
    file = NULL;
    pthread_mutex_unlock(&lock);
}

size_t evs_log_copy(uint64_t after, struct evs_log_line *to, size_t max, uint64_t *ret_last)
{
    size_t n = 0;
    pthread_mutex_lock(&lock);
    if (after + EVS_LOG_RING < last)
        after = last - EVS_LOG_RING;
    while (n < max && after < last)
        to[n++] = ring[++after % EVS_LOG_RING];
    pthread_mutex_unlock(&lock);
    *ret_last = after;
    return n;
}

uint64_t evs_log_count(enum evs_log_level at_least)
{
    uint64_t n = 0;
    pthread_mutex_lock(&lock);
    for (int i = (int)at_least; i <= EVS_LOG_ERROR; i++)
        n += counts[i];
    pthread_mutex_unlock(&lock);
    return n;
}
