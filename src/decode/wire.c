#include "decode/wire.h"

#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "core/text.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5, FRAME = 5, SHOWN = 4096 };

struct cursor {
    const uint8_t *start, *p, *end;
};

static bool varint(struct cursor *c, uint64_t *ret_v)
{
    uint64_t v = 0;
    for (int shift = 0; shift < 64 && c->p < c->end; shift += 7) {
        uint8_t b = *c->p++;
        v |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *ret_v = v;
            return true;
        }
    }
    return false;
}

static uint64_t little_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = n; i; i--)
        v = v << 8 | p[i - 1];
    return v;
}

static enum evs_rc fields(struct cursor *c, int depth, struct evs_buf *out, struct evs_err *err);

static enum evs_rc broken(const struct cursor *c, const uint8_t *at, const char *why,
                          struct evs_err *err)
{
    return evs_fail(err, EVS_INVALID, "no wire fields at byte %zu: %s", (size_t)(at - c->start),
                    why);
}

static void put_varint(uint64_t v, struct evs_buf *out)
{
    evs_buf_printf(out, "%" PRIu64, v);
    int64_t zigzag = (int64_t)(v >> 1) ^ -(int64_t)(v & 1);
    if (v > INT64_MAX)
        evs_buf_printf(out, "   int %" PRId64, (int64_t)v);
    else if (zigzag < 0)
        evs_buf_printf(out, "   sint %" PRId64, zigzag);
}

static void put_fixed(uint64_t bits, bool wide, struct evs_buf *out)
{
    double d;
    float f;
    uint32_t low = (uint32_t)bits;
    memcpy(&d, &bits, sizeof(d));
    memcpy(&f, &low, sizeof(f));
    evs_buf_printf(out, "%" PRIu64 "   %s %.17g", bits, wide ? "double" : "float",
                   wide ? d : (double)f);
}

/* Text without controls, a message of its own, or hex. */
static void put_bytes(const uint8_t *p, size_t n, int depth, struct evs_buf *out)
{
    struct evs_err unused = EVS_ERR_INIT;
    bool text = n > 0 && evs_text_is_utf8(p, n);
    for (size_t i = 0; text && i < n; i++)
        text = p[i] >= 0x20 || p[i] == '\n' || p[i] == '\t';
    size_t before = out->len;
    if (!text && n && depth < EVS_WIRE_DEPTH) {
        struct cursor c = {p, p, p + n};
        evs_buf_addc(out, '{');
        if (!fields(&c, depth + 1, out, &unused)) {
            evs_buf_printf(out, "\n%*s}", depth * 2, "");
            return;
        }
        evs_buf_cut(out, before);
    }
    size_t shown = n < SHOWN ? n : SHOWN;
    if (text) {
        evs_buf_addc(out, '"');
        evs_text_escape(out, p, shown);
        evs_buf_addc(out, '"');
    }
    for (size_t i = 0; !text && i < shown; i++)
        evs_buf_printf(out, "%s%02x", i ? " " : "", p[i]);
    evs_buf_printf(out, "%s   %zu bytes", shown < n ? " ..." : "", n);
}

static enum evs_rc field(struct cursor *c, unsigned wire, int depth, struct evs_buf *out,
                         struct evs_err *err)
{
    const uint8_t *at = c->p;
    uint64_t v;
    if (wire == VARINT) {
        if (!varint(c, &v))
            return broken(c, at, "a number does not end", err);
        put_varint(v, out);
        return EVS_OK;
    }
    if (wire == FIXED64 || wire == FIXED32) {
        size_t n = wire == FIXED64 ? 8 : 4;
        if ((size_t)(c->end - c->p) < n)
            return broken(c, at, "a fixed number is cut off", err);
        put_fixed(little_endian(c->p, n), n == 8, out);
        c->p += n;
        return EVS_OK;
    }
    if (wire != BYTES)
        return broken(c, at, "no such wire type", err);
    if (!varint(c, &v) || v > (uint64_t)(c->end - c->p))
        return broken(c, at, "a length beyond the end", err);
    put_bytes(c->p, (size_t)v, depth, out);
    c->p += v;
    return EVS_OK;
}

static enum evs_rc fields(struct cursor *c, int depth, struct evs_buf *out, struct evs_err *err)
{
    while (c->p < c->end) {
        const uint8_t *at = c->p;
        uint64_t tag;
        if (!varint(c, &tag) || tag >> 3 == 0 || tag >> 3 > 536870911)
            return broken(c, at, "no field number", err);
        evs_buf_printf(out, "%s%*s%" PRIu64 ": ", out->len ? "\n" : "", depth * 2, "", tag >> 3);
        enum evs_rc rc = field(c, (unsigned)(tag & 7), depth, out, err);
        if (rc)
            return rc;
    }
    return EVS_OK;
}

enum evs_rc evs_wire_text(const void *p, size_t n, struct evs_buf *out, struct evs_err *err)
{
    const uint8_t *bytes = p;
    struct cursor c = {bytes, bytes, bytes + n};
    size_t before = out->len;
    if (!n)
        return evs_fail(err, EVS_INVALID, "no wire fields: empty");
    if (*bytes == 0 && n > FRAME) {
        uint64_t index = 0;
        evs_buf_printf(out, "schema id %u",
                       (unsigned)bytes[1] << 24 | (unsigned)bytes[2] << 16 |
                           (unsigned)bytes[3] << 8 | bytes[4]);
        c.p += FRAME;
        for (bool more = varint(&c, &index); more && index--;) { /* the path to the message */
            uint64_t step;
            more = varint(&c, &step);
        }
    }
    enum evs_rc rc = fields(&c, 0, out, err);
    if (rc)
        evs_buf_cut(out, before);
    return rc;
}
