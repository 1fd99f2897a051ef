/* What checks also compacts, reads as a tree, and survives a round trip through pretty and a
 * document. */
#include "fuzz.h"

#include <string.h>

#include "core/json.h"

static void round_trip(const uint8_t *data, size_t size)
{
    EVS_AUTO(evs_buf) struct evs_buf a = EVS_BUF_INIT(1 << 22);
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(1 << 26), c = EVS_BUF_INIT(1 << 22);
    struct evs_err err = EVS_ERR_INIT;
    assert(!evs_json_compact(&a, data, size, &err));
    assert(!evs_json_pretty(&b, data, size, &err));
    assert(!evs_json_compact(&c, b.data, b.len, &err));
    assert(a.len == c.len && !memcmp(a.data, c.data, a.len));
    struct evs_json_tree t = {0};
    assert(!evs_json_tree_read(&t, data, size, &err));
    assert(t.nodes[0].end <= size);
    for (size_t i = 0; i < t.n; i++)
        if (t.nodes[i].type == EVS_JSON_STRING)
            evs_json_unquote(&c, t.text + t.nodes[i].start, t.nodes[i].end - t.nodes[i].start);
    evs_json_tree_done(&t);
    struct evs_json *j, *back;
    if (evs_json_parse(data, size, &j, &err))
        return;
    evs_buf_reset(&c);
    evs_json_print(j, &c);
    assert(!evs_json_parse(c.data, c.len, &back, &err));
    assert(evs_json_equal(j, back));
    struct evs_json *merged = evs_json_merge(back, j);
    evs_json_free(merged);
    evs_json_free(j);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct evs_json_fault f = {0, NULL};
    if (evs_json_check(data, size, &f))
        round_trip(data, size);
    else
        assert(f.at <= size && f.why);
    return 0;
}
