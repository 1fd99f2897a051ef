/* json.c - documents: the one place that knows cJSON. */
#include "core/json.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#include "core/map.h"

static const cJSON *in(const struct evs_json *j)
{
    return (const cJSON *)j;
}

static const struct evs_json *out_of(const cJSON *c)
{
    return (const struct evs_json *)c;
}

static void on_oom(const void *p)
{
    if (!p)
        abort();
}

/* Numbers keep their digits; so do strings that a C string would cut or change. */
static cJSON *make_scalar(const char *text, const struct evs_json_token *tok)
{
    cJSON *c = NULL;
    EVS_AUTO(evs_buf) struct evs_buf plain = EVS_BUF_INIT(SIZE_MAX / 2);
    switch (tok->type) {
    case EVS_JSON_NULL: c = cJSON_CreateNull(); break;
    case EVS_JSON_FALSE: c = cJSON_CreateFalse(); break;
    case EVS_JSON_TRUE: c = cJSON_CreateTrue(); break;
    case EVS_JSON_STRING:
        if (evs_json_unquote(&plain, text + tok->start, tok->len) &&
            !memchr(evs_buf_str(&plain), 0, plain.len)) {
            c = cJSON_CreateString(evs_buf_str(&plain));
            break;
        }
        evs_buf_reset(&plain); /* fall through */
    default:
        evs_buf_add(&plain, text + tok->start, tok->len);
        c = cJSON_CreateRaw(evs_buf_str(&plain));
        break;
    }
    on_oom(c);
    return c;
}

struct doc_build {
    const char *text;
    cJSON *open[EVS_JSON_DEPTH + 1];
    int depth;
    cJSON *root;
    struct evs_buf name;
};

static void doc_put(struct doc_build *b, cJSON *c)
{
    if (!b->depth) {
        b->root = c;
        return;
    }
    cJSON *parent = b->open[b->depth - 1];
    if (cJSON_IsArray(parent)) {
        cJSON_AddItemToArray(parent, c);
        return;
    }
    cJSON_AddItemToObject(parent, evs_buf_str(&b->name), c);
}

/* Of members with one name the last counts, as for most readers. */
static void drop_duplicates(cJSON *object)
{
    struct evs_map seen = EVS_MAP_INIT;
    cJSON *next;
    for (cJSON *m = object->child; m; m = next) {
        next = m->next;
        void **place = evs_map_puts(&seen, m->string);
        if (*place)
            cJSON_Delete(cJSON_DetachItemViaPointer(object, *place));
        *place = m;
    }
    evs_map_done(&seen, NULL);
}

static bool doc_token(struct doc_build *b, const struct evs_json_token *tok)
{
    if (tok->type == EVS_JSON_NAME) {
        evs_buf_reset(&b->name);
        evs_json_unquote(&b->name, b->text + tok->start, tok->len);
        return !memchr(evs_buf_str(&b->name), 0, b->name.len);
    }
    if (tok->type == EVS_JSON_OBJECT_END || tok->type == EVS_JSON_ARRAY_END) {
        cJSON *done = b->open[--b->depth];
        if (tok->type == EVS_JSON_OBJECT_END && done->child && done->child->next)
            drop_duplicates(done);
        return true;
    }
    bool container = tok->type == EVS_JSON_OBJECT || tok->type == EVS_JSON_ARRAY;
    cJSON *c = !container                     ? make_scalar(b->text, tok)
               : tok->type == EVS_JSON_OBJECT ? cJSON_CreateObject()
                                              : cJSON_CreateArray();
    on_oom(c);
    doc_put(b, c);
    if (container)
        b->open[b->depth++] = c;
    return true;
}

enum evs_rc evs_json_parse(const void *p, size_t n, struct evs_json **ret_j, struct evs_err *err)
{
    struct evs_json_lexer lx;
    struct evs_json_token tok;
    struct doc_build b = {.text = p, .name = EVS_BUF_INIT(SIZE_MAX / 2)};
    enum evs_rc rc = EVS_OK;
    evs_json_lexer_init(&lx, p, n);
    while (!rc && evs_json_next(&lx, &tok))
        if (!doc_token(&b, &tok))
            rc = evs_fail(err, EVS_INVALID, "JSON member name with \\u0000");
    if (!rc && tok.type == EVS_JSON_BAD)
        rc = evs_json_fail(&lx.fault, err);
    evs_buf_done(&b.name);
    if (rc)
        cJSON_Delete(b.root);
    else
        *ret_j = (struct evs_json *)b.root;
    return rc;
}

void evs_json_free(struct evs_json *j)
{
    cJSON_Delete((cJSON *)j);
}

void evs_json_print(const struct evs_json *j, struct evs_buf *out)
{
    char *text = cJSON_PrintUnformatted(in(j));
    on_oom(text);
    evs_buf_adds(out, text);
    cJSON_free(text);
}

struct evs_json *evs_json_dup(const struct evs_json *j)
{
    cJSON *c = cJSON_Duplicate(in(j), true);
    on_oom(c);
    return (struct evs_json *)c;
}

bool evs_json_equal(const struct evs_json *a, const struct evs_json *b)
{
    return cJSON_Compare(in(a), in(b), true);
}

enum evs_json_type evs_json_type(const struct evs_json *j)
{
    const cJSON *c = in(j);
    if (!c)
        return EVS_JSON_END;
    if (cJSON_IsObject(c))
        return EVS_JSON_OBJECT;
    if (cJSON_IsArray(c))
        return EVS_JSON_ARRAY;
    if (cJSON_IsString(c) || (cJSON_IsRaw(c) && c->valuestring[0] == '"'))
        return EVS_JSON_STRING;
    if (cJSON_IsRaw(c))
        return EVS_JSON_NUMBER;
    return cJSON_IsTrue(c) ? EVS_JSON_TRUE : cJSON_IsFalse(c) ? EVS_JSON_FALSE : EVS_JSON_NULL;
}

const struct evs_json *evs_json_get(const struct evs_json *j, const char *name)
{
    return out_of(cJSON_GetObjectItemCaseSensitive(in(j), name));
}

const struct evs_json *evs_json_first(const struct evs_json *j)
{
    return j ? out_of(in(j)->child) : NULL;
}

const struct evs_json *evs_json_after(const struct evs_json *j)
{
    return out_of(in(j)->next);
}

const char *evs_json_name(const struct evs_json *j)
{
    return in(j)->string;
}

const char *evs_json_text(const struct evs_json *j)
{
    return j ? in(j)->valuestring : NULL;
}

static cJSON *merge(cJSON *target, const cJSON *patch)
{
    if (!cJSON_IsObject(patch)) {
        cJSON_Delete(target);
        cJSON *copy = cJSON_Duplicate(patch, true);
        on_oom(copy);
        return copy;
    }
    if (!cJSON_IsObject(target)) {
        cJSON_Delete(target);
        target = cJSON_CreateObject();
        on_oom(target);
    }
    for (const cJSON *m = patch->child; m; m = m->next) {
        cJSON *old = cJSON_GetObjectItemCaseSensitive(target, m->string);
        if (cJSON_IsNull(m)) {
            if (old)
                cJSON_Delete(cJSON_DetachItemViaPointer(target, old));
        } else if (!old) {
            cJSON_AddItemToObject(target, m->string, merge(NULL, m));
        } else if (cJSON_IsObject(m) && cJSON_IsObject(old)) {
            merge(old, m);
        } else {
            cJSON_ReplaceItemInObjectCaseSensitive(target, m->string, merge(NULL, m));
        }
    }
    return target;
}

struct evs_json *evs_json_merge(struct evs_json *target, const struct evs_json *patch)
{
    return (struct evs_json *)merge((cJSON *)target, in(patch));
}
