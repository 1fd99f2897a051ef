#include "core/num.h"
#include "core/text.h"
#include "decode/formats.h"

int evs_decode_controls(const uint8_t *p, size_t n)
{
    size_t most = n < EVS_SNIFF_BYTES ? n : EVS_SNIFF_BYTES;
    int controls = 0;
    for (size_t i = 0; i < most;) {
        uint32_t cp;
        int len = evs_text_decode(p + i, n - i, &cp);
        if (!len)
            return -1;
        if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') || cp == 0x7f)
            controls++;
        i += (size_t)len;
    }
    return controls;
}

static int sniff(const uint8_t *p, size_t n)
{
    int controls = evs_decode_controls(p, n);
    if (controls < 0)
        return 0;
    /* A stray control is still text; every eighth byte one is not. */
    size_t seen = n < EVS_SNIFF_BYTES ? n : EVS_SNIFF_BYTES;
    return !controls ? 60 : (size_t)controls * 8 < seen ? 30 : 10;
}

static enum evs_rc decode(const uint8_t *p, size_t n, struct evs_buf *out, struct evs_err *err)
{
    for (size_t i = 0; i < n;) {
        uint32_t cp;
        int len = p[i] < 0x80 ? 1 : evs_text_decode(p + i, n - i, &cp);
        if (!len) {
            char at[EVS_NUM_LEN];
            enum evs_rc rc = evs_fail(err, EVS_INVALID, "not UTF-8 at byte %s",
                                      evs_num_commas(at, (int64_t)i));
            err->row = i;
            return rc;
        }
        i += (size_t)len;
    }
    evs_buf_add(out, p, n);
    return EVS_OK;
}

const struct evs_decoder_ops evs_decoder_text = {"text", "UTF-8 text", false, sniff, decode};
