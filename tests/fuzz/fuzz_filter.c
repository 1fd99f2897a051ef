/* First line: a term of any kind; the rest: key and value. Compiling and matching end and agree
 * with a clone. */
#include "fuzz.h"

#include <string.h>

#include "core/xalloc.h"
#include "filter/filter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = memchr(data, '\n', size);
    if (!line || !size)
        return 0;
    char *text = evs_xstrndup((const char *)data + 1, line > data ? (size_t)(line - data) - 1 : 0);
    const uint8_t *body = line + 1;
    size_t n = (size_t)(data + size - body);
    const uint8_t *split = memchr(body, '\n', n);
    struct evs_event ev = {.topic = "t",
                           .key = body,
                           .key_len = split ? (size_t)(split - body) : n,
                           .value = split ? split + 1 : NULL,
                           .value_len = split ? (size_t)(body + n - split) - 1 : 0,
                           .n_headers = 0};
    for (int icase = 0; icase < 2; icase++) {
        /* jq has no bound on its running time: not fuzzed. */
        struct evs_filter_term term = {(enum evs_filter_kind)(data[0] % 3), text, data[0] & 8,
                                       icase};
        struct evs_filter *f = NULL;
        struct evs_err err = EVS_ERR_INIT;
        if (evs_filter_new(&term, 1, &f, &err)) {
            assert(err.msg[0]);
            continue;
        }
        struct evs_filter *clone = evs_filter_clone(f);
        assert(evs_filter_keeps(f, &ev) == evs_filter_keeps(clone, &ev));
        evs_filter_free(clone);
        evs_filter_free(f);
    }
    evs_free(text);
    return 0;
}
