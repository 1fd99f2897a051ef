#include "core/jsonw.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/text.h"

void evs_jsonw_init(struct evs_jsonw *w, struct evs_buf *out)
{
    memset(w, 0, sizeof(*w));
    w->out = out;
}

static void lead(struct evs_jsonw *w, const char *name, const char *suffix)
{
    if (w->some[w->depth])
        evs_buf_addc(w->out, ',');
    w->some[w->depth] = true;
    if (!name)
        return;
    evs_buf_addc(w->out, '"');
    evs_buf_adds(w->out, name);
    evs_buf_adds(w->out, suffix);
    evs_buf_add(w->out, "\":", 2);
}

static void open_level(struct evs_jsonw *w, const char *name, char open, char close)
{
    lead(w, name, "");
    assert(w->depth < EVS_JSONW_DEPTH);
    evs_buf_addc(w->out, open);
    w->depth++;
    w->some[w->depth] = false;
    w->close[w->depth] = close;
}

void evs_jsonw_obj(struct evs_jsonw *w, const char *name)
{
    open_level(w, name, '{', '}');
}

void evs_jsonw_arr(struct evs_jsonw *w, const char *name)
{
    open_level(w, name, '[', ']');
}

void evs_jsonw_end(struct evs_jsonw *w)
{
    assert(w->depth > 0);
    evs_buf_addc(w->out, w->close[w->depth]);
    w->depth--;
}

static void quote_char(struct evs_buf *out, uint8_t c)
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *at = c ? strchr(named, c) : NULL;
    if (at) {
        char two[2] = {'\\', letters[at - named]};
        evs_buf_add(out, two, 2);
    } else {
        evs_buf_printf(out, "\\u%04x", c);
    }
}

/* What text.h never draws raw: C1 controls steer terminals, bidi and format characters mislead
 * readers. JSON can say them otherwise and loses nothing. */
static void quote_cp(struct evs_buf *out, uint32_t cp)
{
    if (cp >= 0x10000) {
        evs_buf_printf(out, "\\u%04x", (unsigned)(0xd7c0 + (cp >> 10)));
        cp = 0xdc00 + (cp & 0x3ff);
    }
    evs_buf_printf(out, "\\u%04x", (unsigned)cp);
}

void evs_jsonw_quote(struct evs_buf *out, const void *data, size_t n)
{
    const uint8_t *p = data;
    evs_buf_addc(out, '"');
    size_t plain = 0;
    for (size_t i = 0; i < n;) {
        uint8_t c = p[i];
        uint32_t cp;
        int len = 1;
        if (EVS_LIKELY(c >= 0x20 && c != '"' && c != '\\' && c < 0x7f)) {
            i++;
            continue;
        }
        if (c < 0x80 || !(len = evs_text_decode(p + i, n - i, &cp)) || evs_text_cp_width(cp) < 0) {
            evs_buf_add(out, p + plain, i - plain);
            if (c < 0x80)
                quote_char(out, c);
            else if (!len)
                evs_buf_add(out, "\xef\xbf\xbd", 3);
            else
                quote_cp(out, cp);
            plain = i + (len ? (size_t)len : 1);
        }
        i += len ? (size_t)len : 1;
    }
    evs_buf_add(out, p + plain, n - plain);
    evs_buf_addc(out, '"');
}

void evs_jsonw_strn(struct evs_jsonw *w, const char *name, const void *p, size_t n)
{
    lead(w, name, "");
    evs_jsonw_quote(w->out, p, n);
}

void evs_jsonw_str(struct evs_jsonw *w, const char *name, const char *s)
{
    if (s)
        evs_jsonw_strn(w, name, s, strlen(s));
    else
        evs_jsonw_null(w, name);
}

void evs_jsonw_i64(struct evs_jsonw *w, const char *name, int64_t v)
{
    lead(w, name, "");
    evs_buf_i64(w->out, v);
}

void evs_jsonw_double(struct evs_jsonw *w, const char *name, double v)
{
    if (!isfinite(v)) {
        evs_jsonw_null(w, name);
        return;
    }
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, v);
        if (strtod(text, NULL) == v)
            break;
    }
    lead(w, name, "");
    evs_buf_adds(w->out, text);
}

void evs_jsonw_bool(struct evs_jsonw *w, const char *name, bool v)
{
    lead(w, name, "");
    evs_buf_adds(w->out, v ? "true" : "false");
}

void evs_jsonw_null(struct evs_jsonw *w, const char *name)
{
    lead(w, name, "");
    evs_buf_adds(w->out, "null");
}

/* In JSON such characters stand only inside strings, where an escape says the same. */
void evs_jsonw_raw(struct evs_jsonw *w, const char *name, const char *json, size_t n)
{
    const uint8_t *p = (const uint8_t *)json;
    size_t plain = 0;

    lead(w, name, "");
    for (size_t i = 0; i < n;) {
        uint32_t cp = p[i];
        int len = EVS_LIKELY(cp < 0x7f) ? 1 : evs_text_decode(p + i, n - i, &cp);
        if (cp >= 0x7f && len > 0 && evs_text_cp_width(cp) < 0) {
            evs_buf_add(w->out, json + plain, i - plain);
            quote_cp(w->out, cp);
            plain = i + (size_t)len;
        }
        i += len > 0 ? (size_t)len : 1;
    }
    evs_buf_add(w->out, json + plain, n - plain);
}

void evs_jsonw_bytes(struct evs_jsonw *w, const char *name, const void *p, size_t n)
{
    if (!p) {
        evs_jsonw_null(w, name);
    } else if (evs_text_is_utf8(p, n)) {
        evs_jsonw_strn(w, name, p, n);
    } else {
        lead(w, name, "_base64");
        evs_buf_adds(w->out, name ? "\"" : "{\"base64\":\"");
        evs_buf_base64(w->out, p, n);
        evs_buf_adds(w->out, name ? "\"" : "\"}");
    }
}
