#include "core/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"

char *evs_buf_room(struct evs_buf *b, size_t n)
{
    if (b->over || n > b->cap - b->len) {
        b->over = true;
        return NULL;
    }
    if (b->len + n + 1 > b->alloc) {
        size_t want = b->alloc ? b->alloc * 2 : 64;
        if (want < b->len + n + 1)
            want = b->len + n + 1;
        b->data = evs_xrealloc(b->data, want);
        b->alloc = want;
    }
    return b->data + b->len;
}

bool evs_buf_add(struct evs_buf *b, const void *p, size_t n)
{
    char *to = evs_buf_room(b, n);
    if (!to)
        return false;
    if (n)
        memcpy(to, p, n);
    b->len += n;
    b->data[b->len] = '\0';
    return true;
}

bool evs_buf_adds(struct evs_buf *b, const char *s)
{
    return evs_buf_add(b, s, strlen(s));
}

bool evs_buf_addc(struct evs_buf *b, char c)
{
    return evs_buf_add(b, &c, 1);
}

bool evs_buf_addn(struct evs_buf *b, char c, size_t n)
{
    char *to = evs_buf_room(b, n);
    if (!to)
        return false;
    memset(to, c, n);
    b->len += n;
    b->data[b->len] = '\0';
    return true;
}

bool evs_buf_printf(struct evs_buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    char *to = n < 0 ? NULL : evs_buf_room(b, (size_t)n);
    if (to) {
        vsnprintf(to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return to != NULL;
}

bool evs_buf_i64(struct evs_buf *b, int64_t v)
{
    char tmp[24];
    char *p = tmp + sizeof(tmp);
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        *--p = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        *--p = '-';
    return evs_buf_add(b, p, (size_t)(tmp + sizeof(tmp) - p));
}

bool evs_buf_base64(struct evs_buf *b, const void *p, size_t n)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const uint8_t *s = p;
    if (n > (SIZE_MAX - 8) / 4 * 3) {
        b->over = true;
        return false;
    }
    char *to = evs_buf_room(b, (n + 2) / 3 * 4);
    if (!to)
        return false;
    for (; n >= 3; n -= 3, s += 3) {
        uint32_t v = (uint32_t)s[0] << 16 | (uint32_t)s[1] << 8 | s[2];
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = digits[v >> 6 & 63];
        *to++ = digits[v & 63];
    }
    if (n) {
        uint32_t v = (uint32_t)s[0] << 16 | (n == 2 ? (uint32_t)s[1] << 8 : 0);
        *to++ = digits[v >> 18];
        *to++ = digits[v >> 12 & 63];
        *to++ = n == 2 ? digits[v >> 6 & 63] : '=';
        *to++ = '=';
    }
    b->len = (size_t)(to - b->data);
    b->data[b->len] = '\0';
    return true;
}

void evs_buf_cut(struct evs_buf *b, size_t len)
{
    if (len >= b->len)
        return;
    b->len = len;
    b->data[len] = '\0';
}

void evs_buf_reset(struct evs_buf *b)
{
    b->len = 0;
    b->over = false;
    if (b->data)
        b->data[0] = '\0';
}

void evs_buf_done(struct evs_buf *b)
{
    evs_free(b->data);
    b->data = NULL;
    b->len = b->alloc = 0;
    b->over = false;
}

char *evs_buf_steal(struct evs_buf *b)
{
    char *p = b->data ? b->data : evs_xstrdup("");
    b->data = NULL;
    b->len = b->alloc = 0;
    b->over = false;
    return p;
}

const char *evs_buf_str(const struct evs_buf *b)
{
    return b->data ? b->data : "";
}

enum evs_rc evs_buf_check(const struct evs_buf *b, const char *what, struct evs_err *err)
{
    if (!b->over)
        return EVS_OK;
    return evs_fail(err, EVS_INVALID, "%s: longer than %zu bytes", what, b->cap);
}

enum evs_rc evs_buf_read_file(struct evs_buf *b, const char *path, struct evs_err *err)
{
    FILE *f = fopen(path, "rbe");
    if (!f)
        return evs_fail_errno(err, errno, "%s", path);
    enum evs_rc rc = EVS_OK;
    for (;;) {
        char chunk[16384];
        size_t n = fread(chunk, 1, sizeof(chunk), f);
        if (!evs_buf_add(b, chunk, n)) {
            rc = evs_fail(err, EVS_INVALID, "%s: longer than %zu bytes", path, b->cap);
            break;
        }
        if (n < sizeof(chunk)) {
            if (ferror(f))
                rc = evs_fail_errno(err, errno ? errno : EIO, "%s", path);
            break;
        }
    }
    fclose(f);
    return rc;
}
