#include "browse/envelope.h"

#include <ctype.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "core/xalloc.h"
#include "decode/decoder.h"

enum { DECODED_CAP = 256 << 20 };

/* --- JSON --- */

static void put_headers(struct evs_jsonw *w, struct evs_event *ev)
{
    int n = evs_event_headers(ev);
    if (n <= 0)
        return;
    evs_jsonw_arr(w, "headers");
    for (int i = 0; i < n; i++) {
        evs_jsonw_bytes(w, NULL, ev->headers[i].name, ev->headers[i].name_len);
        evs_jsonw_bytes(w, NULL, ev->headers[i].value, ev->headers[i].value_len);
    }
    evs_jsonw_end(w);
}

/* "value" beside payload: the JSON value itself, with its digits, or the decoder's text. */
static void put_decoded(struct evs_jsonw *w, struct evs_event *ev)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(DECODED_CAP);
    struct evs_decoded d;
    evs_decode(NULL, ev->value, ev->value_len, &text, &d);
    if (!ev->value)
        evs_jsonw_null(w, "value");
    else if (d.decoder->is_json && !text.over)
        evs_jsonw_raw(w, "value", evs_buf_str(&text), text.len);
    else
        evs_jsonw_strn(w, "value", evs_buf_str(&text), text.len);
    evs_jsonw_str(w, "decoder", ev->value ? d.decoder->name : NULL);
    if (d.why[0])
        evs_jsonw_str(w, "decode_error", d.why);
}

void evs_envelope_members(struct evs_jsonw *w, struct evs_event *ev, bool decode)
{
    evs_jsonw_str(w, "topic", ev->topic);
    evs_jsonw_i64(w, "partition", ev->partition);
    evs_jsonw_i64(w, "offset", ev->offset);
    evs_jsonw_str(w, "tstype", evs_tstype_name(ev->tstype));
    evs_jsonw_i64(w, "ts", ev->ts_ms);
    evs_jsonw_i64(w, "broker", ev->broker);
    put_headers(w, ev);
    evs_jsonw_bytes(w, "key", ev->key, ev->key_len);
    evs_jsonw_bytes(w, "payload", ev->value, ev->value_len);
    if (decode)
        put_decoded(w, ev);
}

void evs_envelope_json(struct evs_buf *out, struct evs_event *ev, bool decode)
{
    struct evs_jsonw w;
    evs_jsonw_init(&w, out);
    evs_jsonw_obj(&w, NULL);
    evs_envelope_members(&w, ev, decode);
    evs_jsonw_end(&w);
}

/* --- text --- */

const char evs_envelope_heading[] =
    "PART       OFFSET TIME                      KEY                  VALUE";

enum { TIME_COLS = 25, KEY_COLS = 20 };

static void pad(struct evs_buf *out, size_t from, size_t cols)
{
    size_t used = evs_text_width(out->data + from, out->len - from);
    if (used < cols)
        evs_buf_addn(out, ' ', cols - used);
}

static void put_bytes(struct evs_buf *out, const void *p, size_t n, const char *null)
{
    if (!p)
        evs_buf_adds(out, null);
    else if (n == 0)
        evs_buf_adds(out, "\"\"");
    else
        evs_text_escape(out, p, n);
}

static void put_text_of(struct evs_buf *out, const void *p, size_t n)
{
    EVS_AUTO(evs_buf) struct evs_buf text = EVS_BUF_INIT(DECODED_CAP);
    struct evs_decoded d;
    evs_decode(NULL, p, n, &text, &d);
    evs_text_escape(out, evs_buf_str(&text), text.len);
}

void evs_envelope_text(struct evs_buf *out, struct evs_event *ev, bool decode)
{
    char time[EVS_NUM_LEN];
    evs_buf_printf(out, "%4d %12lld ", ev->partition, (long long)ev->offset);
    size_t from = out->len;
    evs_buf_adds(out, ev->ts_ms < 0 ? "-" : evs_num_iso(time, ev->ts_ms));
    if (out->len - from < TIME_COLS)
        evs_buf_addn(out, ' ', TIME_COLS - (out->len - from));
    evs_buf_addc(out, ' ');
    from = out->len;
    if (decode && ev->key)
        put_text_of(out, ev->key, ev->key_len);
    else
        put_bytes(out, ev->key, ev->key_len, "(null)");
    if (!out->over)
        pad(out, from, KEY_COLS);
    evs_buf_addc(out, ' ');
    if (decode && ev->value)
        put_text_of(out, ev->value, ev->value_len);
    else
        put_bytes(out, ev->value, ev->value_len, "(tombstone)");
}

/* --- kcat's format strings --- */

struct piece {
    char token;       /* 0: text */
    size_t from, len; /* of the text */
};

struct evs_format {
    struct piece *pieces;
    size_t n;
    struct evs_buf text;
};

static void add_text(struct evs_format *f, char c)
{
    struct piece *last = f->n ? &f->pieces[f->n - 1] : NULL;
    if (!last || last->token) {
        f->pieces = evs_xgrow(f->pieces, f->n + 1, sizeof(*f->pieces));
        last = &f->pieces[f->n++];
        *last = (struct piece){0, f->text.len, 0};
    }
    evs_buf_addc(&f->text, c);
    last->len++;
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c)    ? c - '0'
           : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
                                        : -1;
}

/* After a backslash; returns the characters used. An unknown escape stands for itself. */
static size_t add_escape(struct evs_format *f, const char *s)
{
    static const char letters[] = "ntr0e\\", bytes[] = "\n\t\r\0\x1b\\";
    const char *at = *s ? strchr(letters, *s) : NULL;
    if (at) {
        add_text(f, bytes[at - letters]);
        return 1;
    }
    int hi = *s == 'x' ? hex_digit(s[1]) : -1;
    if (hi < 0) {
        add_text(f, '\\');
        return 0;
    }
    int lo = hex_digit(s[2]);
    add_text(f, (char)(lo < 0 ? hi : hi * 16 + lo));
    return lo < 0 ? 2 : 3;
}

enum evs_rc evs_format_new(const char *text, struct evs_format **ret_f, struct evs_err *err)
{
    struct evs_format *f = evs_xcalloc(1, sizeof(*f));
    f->text = (struct evs_buf)EVS_BUF_INIT(1 << 16);
    for (const char *s = text; *s; s++) {
        if (*s == '\\') {
            s += add_escape(f, s + 1);
        } else if (*s != '%') {
            add_text(f, *s);
        } else if (s[1] == '%') {
            add_text(f, *++s);
        } else if (s[1] && strchr("tpoksKSRTh", s[1])) {
            f->pieces = evs_xgrow(f->pieces, f->n + 1, sizeof(*f->pieces));
            f->pieces[f->n++] = (struct piece){*++s, 0, 0};
        } else {
            evs_fail(err, EVS_INVALID, "format '%s': unknown token at character %zu", text,
                     (size_t)(s - text) + 1);
            evs_hint(err, "%%t %%p %%o %%k %%s %%K %%S %%T %%h %%%%, \\n \\t \\xHH");
            evs_format_free(f);
            return EVS_INVALID;
        }
    }
    *ret_f = f;
    return EVS_OK;
}

void evs_format_free(struct evs_format *f)
{
    if (!f)
        return;
    evs_buf_done(&f->text);
    evs_free(f->pieces);
    evs_free(f);
}

static void put(struct evs_buf *out, const void *p, size_t n, bool raw)
{
    if (raw)
        evs_buf_add(out, p, n);
    else
        evs_text_escape(out, p, n);
}

static void put_header_list(struct evs_buf *out, struct evs_event *ev, bool raw)
{
    int n = evs_event_headers(ev);
    for (int i = 0; i < n; i++) {
        const struct evs_header *h = &ev->headers[i];
        if (i)
            evs_buf_addc(out, ',');
        put(out, h->name, h->name_len, raw);
        evs_buf_addc(out, '=');
        if (h->value)
            put(out, h->value, h->value_len, raw);
        else
            evs_buf_adds(out, "NULL");
    }
}

static int64_t length_of(const void *p, size_t n)
{
    return p ? (int64_t)n : -1;
}

static void put_binary_length(struct evs_buf *out, int64_t n)
{
    uint32_t v = (uint32_t)(int32_t)n;
    const char bytes[4] = {(char)(v >> 24), (char)(v >> 16), (char)(v >> 8), (char)v};
    evs_buf_add(out, bytes, sizeof(bytes));
}

void evs_format_put(const struct evs_format *f, struct evs_buf *out, struct evs_event *ev, bool raw)
{
    for (size_t i = 0; i < f->n; i++) {
        const struct piece *p = &f->pieces[i];
        switch (p->token) {
        case 0: evs_buf_add(out, f->text.data + p->from, p->len); break;
        case 't': put(out, ev->topic, strlen(ev->topic), raw); break;
        case 'p': evs_buf_i64(out, ev->partition); break;
        case 'o': evs_buf_i64(out, ev->offset); break;
        case 'k': put(out, ev->key, ev->key_len, raw); break;
        case 's': put(out, ev->value, ev->value_len, raw); break;
        case 'K': evs_buf_i64(out, length_of(ev->key, ev->key_len)); break;
        case 'S': evs_buf_i64(out, length_of(ev->value, ev->value_len)); break;
        case 'R': put_binary_length(out, length_of(ev->value, ev->value_len)); break;
        case 'T': evs_buf_i64(out, ev->ts_ms); break;
        default: put_header_list(out, ev, raw); break;
        }
    }
}
