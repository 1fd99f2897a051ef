#include "decode/decoder.h"

#include <stdio.h>
#include <string.h>

#include "core/num.h"
#include "core/text.h"
#include "decode/formats.h"

/* Ties in sureness go to the first. Later formats (Avro, Protobuf, MessagePack) are rows here. */
const struct evs_decoder_ops *const evs_decoders[] = {
    &evs_decoder_json,
    &evs_decoder_text,
    &evs_decoder_uuid,
    &evs_decoder_int64,
    &evs_decoder_int32,
    &evs_decoder_hex,
    NULL,
};

const struct evs_decoder_ops *evs_decoder_find(const char *name)
{
    for (const struct evs_decoder_ops *const *d = evs_decoders; *d; d++)
        if (!strcmp((*d)->name, name))
            return *d;
    return NULL;
}

static const struct evs_decoder_ops *surest(const uint8_t *p, size_t n, unsigned tried)
{
    const struct evs_decoder_ops *best = &evs_decoder_hex;
    int most = 0;
    for (size_t i = 0; evs_decoders[i]; i++) {
        int sure = tried & 1u << i ? 0 : evs_decoders[i]->sniff(p, n);
        if (sure > most) {
            most = sure;
            best = evs_decoders[i];
        }
    }
    return best;
}

static unsigned bit_of(const struct evs_decoder_ops *d)
{
    for (unsigned i = 0; evs_decoders[i]; i++)
        if (evs_decoders[i] == d)
            return 1u << i;
    return 0;
}

/* false: out is as before. A cap reached is no failure: out->over stays set. */
static bool try_one(const struct evs_decoder_ops *d, const uint8_t *p, size_t n,
                    struct evs_buf *out, struct evs_err *err)
{
    size_t before = out->len;
    if (!d->decode(p, n, out, err))
        return true;
    out->len = before;
    if (out->data)
        out->data[before] = '\0';
    return false;
}

void evs_decode(const struct evs_decoder_ops *forced, const void *p, size_t n, struct evs_buf *out,
                struct evs_decoded *ret_d)
{
    struct evs_err err = EVS_ERR_INIT;
    unsigned tried = 0;
    ret_d->why[0] = '\0';
    ret_d->at = 0;
    ret_d->decoder = forced ? forced : surest(p, n, 0);
    if (!p) {
        ret_d->decoder = &evs_decoder_json; /* a null is JSON's null */
        evs_buf_adds(out, "null");
        return;
    }
    while (!try_one(ret_d->decoder, p, n, out, &err)) {
        if (!ret_d->why[0]) {
            snprintf(ret_d->why, sizeof(ret_d->why), "%.159s", err.msg);
            ret_d->at = err.row;
        }
        tried |= bit_of(ret_d->decoder);
        ret_d->decoder = surest(p, n, tried);
    }
}
