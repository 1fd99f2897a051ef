/* fuzz_text.c - the door to the terminal: whatever comes in, what goes out is harmless. */
#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/text.h"
#include "fuzz.h"

/* Columns of an escaped text; asserts that each character of it is valid and drawable. */
static size_t checked_columns(const uint8_t *p, size_t n)
{
    size_t cols = 0;

    while (n > 0) {
        uint32_t cp;
        int len = evs_text_decode(p, n, &cp);
        assert(len > 0);
        int width = evs_text_cp_width(cp);
        assert(width >= 0);
        cols += (size_t)width;
        p += len;
        n -= (size_t)len;
    }
    return cols;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    EVS_AUTO(evs_buf) struct evs_buf out = EVS_BUF_INIT(1 << 22);
    size_t most = size ? data[0] : 0;

    evs_text_escape(&out, data, size);
    assert(checked_columns((const uint8_t *)evs_buf_str(&out), out.len) ==
           evs_text_width(data, size));
    for (int cut = EVS_CUT_END; cut <= EVS_CUT_MIDDLE; cut++) {
        evs_buf_reset(&out);
        size_t cols = evs_text_fit(&out, data, size, most, cut);
        assert(cols <= most);
        assert(checked_columns((const uint8_t *)evs_buf_str(&out), out.len) == cols);
    }
    for (size_t at = 0; at < size;) {
        struct evs_text_cell cell;
        size_t used = evs_text_next(data + at, size - at, &cell);
        assert(used > 0 && used <= size - at);
        assert(cell.len <= sizeof(cell.bytes));
        assert(checked_columns((const uint8_t *)cell.bytes, cell.len) == cell.cols);
        at += used;
    }
    return 0;
}
