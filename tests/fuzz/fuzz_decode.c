/* Any bytes: a decoder is chosen, its output keeps the cap, JSON decoders put out JSON. */
#include "fuzz.h"

#include "core/json.h"
#include "decode/decoder.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    for (size_t i = 0; !i || evs_decoders[i - 1]; i++) {
        EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(1 << 20);
        struct evs_decoded d;
        evs_decode(i ? evs_decoders[i - 1] : NULL, data, size, &out, &d);
        assert(d.decoder);
        assert(!d.decoder->is_json || out.over || evs_json_check(evs_buf_str(&out), out.len, NULL));
        EVS_AUTO(evs_buf) struct evs_buf small = EVS_BUF_INIT(8);
        evs_decode(i ? evs_decoders[i - 1] : NULL, data, size, &small, &d);
        assert(small.len <= 8);
    }
    return 0;
}
