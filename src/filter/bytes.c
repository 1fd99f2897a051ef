#include "filter/bytes.h"

#include <string.h>

#include "core/xalloc.h"

static uint8_t fold(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + 32) : c;
}

/* The smaller the rarer: measured over JSON events, keys and English words; only the order
 * matters. */
static int frequency(uint8_t c)
{
    static const char often[] = "\"e,0:at1 nosrid2l_3cu-5p4m}6{87d9.hgybfv/kw:xUqzj";
    const char *at = c ? strchr(often, c) : NULL;
    if (at)
        return 255 - (int)(at - often) * 4;
    return c == 0 ? 120 : c < 0x80 ? 30 : 10;
}

void evs_bytes_init(struct evs_bytes *b, const void *needle, size_t len, bool ignore_case)
{
    *b = (struct evs_bytes){evs_xmemdup(needle, len), len, 0, ignore_case, NULL};
    if (!ignore_case) {
        for (size_t i = 1; i < len; i++)
            if (frequency(b->needle[i]) < frequency(b->needle[b->rare]))
                b->rare = i;
        return;
    }
    b->skip = evs_xcalloc(256, sizeof(*b->skip));
    for (int c = 0; c < 256; c++)
        b->skip[c] = len ? len : 1;
    for (size_t i = 0; i < len; i++)
        b->needle[i] = fold(b->needle[i]);
    for (int c = 0; c < 256; c++)
        for (size_t i = 0; i + 1 < len; i++)
            if (b->needle[i] == fold((uint8_t)c))
                b->skip[c] = len - 1 - i;
}

void evs_bytes_done(struct evs_bytes *b)
{
    evs_free(b->needle);
    evs_free(b->skip);
    *b = (struct evs_bytes){NULL, 0, 0, false, NULL};
}

static size_t find_folded(const struct evs_bytes *b, const uint8_t *s, size_t n, size_t from)
{
    size_t len = b->len;
    for (size_t at = from; at + len <= n; at += b->skip[s[at + len - 1]]) {
        size_t i = len;
        while (i && fold(s[at + i - 1]) == b->needle[i - 1])
            i--;
        if (!i)
            return at;
    }
    return n;
}

size_t evs_bytes_find(const struct evs_bytes *b, const void *text, size_t n, size_t from)
{
    const uint8_t *s = text;
    if (from > n || b->len > n - from)
        return n;
    if (!b->len)
        return from;
    if (b->ignore_case)
        return find_folded(b, s, n, from);
    /* Candidates for the rare byte lie in [from + rare, n - (len - rare) ]. */
    const uint8_t *at = s + from + b->rare, *end = s + n - (b->len - 1 - b->rare);
    while (at < end) {
        at = memchr(at, b->needle[b->rare], (size_t)(end - at));
        if (!at)
            return n;
        if (!memcmp(at - b->rare, b->needle, b->len))
            return (size_t)(at - b->rare - s);
        at++;
    }
    return n;
}

bool evs_bytes_in(const struct evs_bytes *b, const void *text, size_t n)
{
    return text && b->len <= n && (!b->len || evs_bytes_find(b, text, n, 0) < n);
}
