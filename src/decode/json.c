#include "core/json.h"

#include "decode/formats.h"

static int sniff(const uint8_t *p, size_t n)
{
    size_t i = 0, last = n;
    while (i < n && i < EVS_SNIFF_BYTES &&
           (p[i] == ' ' || p[i] == '\t' || p[i] == '\n' || p[i] == '\r'))
        i++;
    if (i == n || i == EVS_SNIFF_BYTES)
        return 0;
    while (p[last - 1] == ' ' || p[last - 1] == '\t' || p[last - 1] == '\n' || p[last - 1] == '\r')
        last--;
    if (p[i] == '{' || p[i] == '[') {
        bool ends = p[last - 1] == (p[i] == '{' ? '}' : ']');
        if (evs_decode_controls(p, n) < 0)
            return ends ? 65 : 0;
        /* An object opens a name or closes: "{placeholder}" and "[WARN] text" are text. */
        size_t next = i + 1;
        while (next < last &&
               (p[next] == ' ' || p[next] == '\t' || p[next] == '\n' || p[next] == '\r'))
            next++;
        if (p[i] == '{' && next < last && p[next] != '"' && p[next] != '}')
            return 0;
        return ends ? 95 : 80;
    }
    /* A scalar must check in full, and be short enough for that to be cheap. */
    return n <= EVS_SNIFF_BYTES && evs_json_check(p, n, NULL) ? 70 : 0;
}

static enum evs_rc decode(const uint8_t *p, size_t n, struct evs_buf *out, struct evs_err *err)
{
    return evs_json_compact(out, p, n, err);
}

const struct evs_decoder_ops evs_decoder_json = {"json", "JSON, digits of numbers as written", true,
                                                 sniff, decode};
