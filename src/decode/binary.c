/* binary.c - integers, UUIDs and hex. */
#include "core/num.h"
#include "decode/formats.h"

static uint64_t big_endian(const uint8_t *p, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v = v << 8 | p[i];
    return v;
}

static bool wrong_length(size_t n, size_t want, const char *what, struct evs_err *err)
{
    if (n == want)
        return false;
    evs_fail(err, EVS_INVALID, "not %s: %zu bytes in place of %zu", what, n, want);
    return true;
}

/* Small either way, or a time between 1990 and 2100 in s, ms or us. */
static bool likely(int64_t v)
{
    static const int64_t units[] = {1, 1000, 1000000};
    if (v > -1000000000 && v < 1000000000)
        return true;
    for (int i = 0; i < 3; i++)
        if (v / units[i] > 631152000 && v / units[i] < 4102444800)
            return true;
    return false;
}

static int sniff_int(const uint8_t *p, size_t n, size_t want)
{
    if (n != want || evs_decode_controls(p, n) == 0)
        return 0;
    int64_t v = want == 8 ? (int64_t)big_endian(p, 8) : (int32_t)big_endian(p, 4);
    return likely(v) ? 50 : 25;
}

static int sniff_int64(const uint8_t *p, size_t n)
{
    return sniff_int(p, n, 8);
}

static int sniff_int32(const uint8_t *p, size_t n)
{
    return sniff_int(p, n, 4);
}

static enum evs_rc decode_int64(const uint8_t *p, size_t n, struct evs_buf *out,
                                struct evs_err *err)
{
    if (wrong_length(n, 8, "a 64-bit integer", err))
        return EVS_INVALID;
    evs_buf_i64(out, (int64_t)big_endian(p, 8));
    return EVS_OK;
}

static enum evs_rc decode_int32(const uint8_t *p, size_t n, struct evs_buf *out,
                                struct evs_err *err)
{
    if (wrong_length(n, 4, "a 32-bit integer", err))
        return EVS_INVALID;
    evs_buf_i64(out, (int32_t)big_endian(p, 4));
    return EVS_OK;
}

static int sniff_uuid(const uint8_t *p, size_t n)
{
    if (n != 16 || evs_decode_controls(p, n) == 0)
        return 0;
    int version = p[6] >> 4;
    return version >= 1 && version <= 8 && (p[8] & 0xc0) == 0x80 ? 75 : 0;
}

static enum evs_rc decode_uuid(const uint8_t *p, size_t n, struct evs_buf *out, struct evs_err *err)
{
    if (wrong_length(n, 16, "a UUID", err))
        return EVS_INVALID;
    for (size_t i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            evs_buf_addc(out, '-');
        evs_buf_addc(out, "0123456789abcdef"[p[i] >> 4]);
        evs_buf_addc(out, "0123456789abcdef"[p[i] & 15]);
    }
    return EVS_OK;
}

static int sniff_hex(const uint8_t *p, size_t n)
{
    (void)p;
    (void)n;
    return 20;
}

static enum evs_rc decode_hex(const uint8_t *p, size_t n, struct evs_buf *out, struct evs_err *err)
{
    (void)err;
    for (size_t i = 0; i < n && !out->over; i++) {
        char cell[3] = {"0123456789abcdef"[p[i] >> 4], "0123456789abcdef"[p[i] & 15], ' '};
        evs_buf_add(out, cell, i + 1 < n ? 3 : 2);
    }
    return EVS_OK;
}

const struct evs_decoder_ops evs_decoder_uuid = {"uuid", "16 bytes as a UUID", false, sniff_uuid,
                                                 decode_uuid};
const struct evs_decoder_ops evs_decoder_int64 = {"int64", "8 bytes as a big-endian integer", true,
                                                  sniff_int64, decode_int64};
const struct evs_decoder_ops evs_decoder_int32 = {"int32", "4 bytes as a big-endian integer", true,
                                                  sniff_int32, decode_int32};
const struct evs_decoder_ops evs_decoder_hex = {"hex", "bytes in hexadecimal; takes everything",
                                                false, sniff_hex, decode_hex};
