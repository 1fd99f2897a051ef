/* json_tree.c - the flat tree over the original bytes, and unquoting. */
#include "core/json.h"

#include <string.h>

#include "core/xalloc.h"

static int hex_of(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static uint32_t hex4(const char *s)
{
    uint32_t v = 0;
    for (int i = 0; i < 4; i++)
        v = v * 16 + (uint32_t)hex_of(s[i]);
    return v;
}

static void add_cp(struct evs_buf *out, uint32_t cp)
{
    if (cp < 0x80) {
        evs_buf_addc(out, (char)cp);
        return;
    }
    if (cp < 0x800) {
        evs_buf_addc(out, (char)(0xc0 | cp >> 6));
    } else {
        if (cp < 0x10000) {
            evs_buf_addc(out, (char)(0xe0 | cp >> 12));
        } else {
            evs_buf_addc(out, (char)(0xf0 | cp >> 18));
            evs_buf_addc(out, (char)(0x80 | (cp >> 12 & 0x3f)));
        }
        evs_buf_addc(out, (char)(0x80 | (cp >> 6 & 0x3f)));
    }
    evs_buf_addc(out, (char)(0x80 | (cp & 0x3f)));
}

/* s is on the backslash of a \u escape; returns bytes used. */
static size_t add_unicode(struct evs_buf *out, const char *s, size_t n, bool *clean)
{
    uint32_t cp = hex4(s + 2);
    if (cp >= 0xd800 && cp < 0xdc00 && n >= 12 && s[6] == '\\' && s[7] == 'u') {
        uint32_t low = hex4(s + 8);
        if (low >= 0xdc00 && low < 0xe000) {
            add_cp(out, 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00));
            return 12;
        }
    }
    if (cp >= 0xd800 && cp < 0xe000) {
        *clean = false;
        cp = 0xfffd;
    }
    add_cp(out, cp);
    return 6;
}

bool evs_json_unquote(struct evs_buf *out, const char *quoted, size_t len)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    const char *s = quoted + 1, *end = quoted + len - 1;
    bool clean = true;
    while (s < end) {
        const char *stop = memchr(s, '\\', (size_t)(end - s));
        size_t plain = (size_t)((stop ? stop : end) - s);
        evs_buf_add(out, s, plain);
        s += plain;
        if (s >= end)
            break;
        if (s[1] == 'u') {
            s += add_unicode(out, s, (size_t)(end - s), &clean);
            continue;
        }
        const char *which = memchr(from, s[1], sizeof(from) - 1);
        evs_buf_addc(out, which ? to[which - from] : s[1]);
        s += 2;
    }
    return clean;
}

struct build {
    struct evs_json_tree *t;
    uint32_t parent, name, name_len;
    uint32_t last[EVS_JSON_DEPTH + 1]; /* the latest child by depth, 0: none yet */
};

static void add_node(struct build *b, const struct evs_json_token *tok)
{
    struct evs_json_tree *t = b->t;
    if (t->n == t->alloc) {
        t->alloc = t->alloc ? t->alloc * 2 : 32;
        t->nodes = evs_xgrow(t->nodes, t->alloc, sizeof(*t->nodes));
    }
    uint32_t me = (uint32_t)t->n++;
    t->nodes[me] = (struct evs_json_node){.start = (uint32_t)tok->start,
                                          .end = (uint32_t)(tok->start + tok->len),
                                          .name = b->name,
                                          .name_len = b->name_len,
                                          .parent = b->parent,
                                          .depth = (uint16_t)tok->depth,
                                          .type = (uint8_t)tok->type};
    b->name_len = 0;
    if (me) {
        t->nodes[b->parent].size++;
        if (b->last[tok->depth])
            t->nodes[b->last[tok->depth]].next = me;
    }
    b->last[tok->depth] = me;
    if (tok->type == EVS_JSON_OBJECT || tok->type == EVS_JSON_ARRAY) {
        b->parent = me;
        b->last[tok->depth + 1] = 0;
    }
}

enum evs_rc evs_json_tree_read(struct evs_json_tree *t, const void *p, size_t n,
                               struct evs_err *err)
{
    struct evs_json_lexer lx;
    struct evs_json_token tok;
    if (n > UINT32_MAX - 1)
        return evs_fail(err, EVS_INVALID, "JSON text of 4 GiB or more");
    struct build b = {.t = t};
    t->text = p;
    t->n = 0;
    evs_json_lexer_init(&lx, p, n);
    while (evs_json_next(&lx, &tok)) {
        if (tok.type == EVS_JSON_NAME) {
            b.name = (uint32_t)tok.start;
            b.name_len = (uint32_t)tok.len;
        } else if (tok.type == EVS_JSON_OBJECT_END || tok.type == EVS_JSON_ARRAY_END) {
            t->nodes[b.parent].end = (uint32_t)(tok.start + tok.len);
            b.parent = t->nodes[b.parent].parent;
        } else {
            add_node(&b, &tok);
        }
    }
    if (tok.type == EVS_JSON_END)
        return EVS_OK;
    t->n = 0;
    return evs_json_fail(&lx.fault, err);
}

void evs_json_tree_done(struct evs_json_tree *t)
{
    evs_free(t->nodes);
    *t = (struct evs_json_tree){NULL, NULL, 0, 0};
}

static bool name_is(const struct evs_json_tree *t, const struct evs_json_node *node,
                    const char *name, size_t len)
{
    const char *quoted = t->text + node->name;
    if (!memchr(quoted, '\\', node->name_len))
        return node->name_len == len + 2 && !memcmp(quoted + 1, name, len);
    EVS_AUTO(evs_buf) struct evs_buf plain = EVS_BUF_INIT((size_t)node->name_len + 1);
    evs_json_unquote(&plain, quoted, node->name_len);
    return plain.len == len && !memcmp(evs_buf_str(&plain), name, len);
}

static const struct evs_json_node *member_n(const struct evs_json_tree *t,
                                            const struct evs_json_node *obj, const char *name,
                                            size_t len)
{
    if (!obj || obj->type != EVS_JSON_OBJECT || !obj->size)
        return NULL;
    const struct evs_json_node *found = NULL;
    for (uint32_t i = (uint32_t)(obj - t->nodes) + 1; i; i = t->nodes[i].next)
        if (name_is(t, &t->nodes[i], name, len))
            found = &t->nodes[i]; /* the last one of duplicates, as most readers */
    return found;
}

const struct evs_json_node *evs_json_member(const struct evs_json_tree *t,
                                            const struct evs_json_node *obj, const char *name)
{
    return member_n(t, obj, name, strlen(name));
}

static const struct evs_json_node *element(const struct evs_json_tree *t,
                                           const struct evs_json_node *arr, size_t index)
{
    if (!arr || arr->type != EVS_JSON_ARRAY || index >= arr->size)
        return NULL;
    uint32_t i = (uint32_t)(arr - t->nodes) + 1;
    while (index--)
        i = t->nodes[i].next;
    return &t->nodes[i];
}

const struct evs_json_node *evs_json_path(const struct evs_json_tree *t, const char *path)
{
    const struct evs_json_node *node = t->n ? t->nodes : NULL;
    while (node && *path) {
        if (*path == '[') {
            size_t index = 0;
            for (path++; *path >= '0' && *path <= '9' && index < UINT32_MAX; path++)
                index = index * 10 + (size_t)(*path - '0');
            if (*path++ != ']')
                return NULL;
            node = element(t, node, index);
            continue;
        }
        path += *path == '.';
        size_t len = strcspn(path, ".[");
        if (len)
            node = member_n(t, node, path, len);
        path += len;
    }
    return node;
}
