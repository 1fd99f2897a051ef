#include "ui/place.h"

#include <string.h>

#include "core/xalloc.h"

void evs_place_set(char **field, const char *text)
{
    char *old = *field;
    *field = evs_xstrdup(text);
    evs_free(old);
}

void evs_place_set_key(struct evs_place *p, const void *key, size_t len)
{
    void *copy = key ? evs_xmemdup(key, len) : NULL;
    evs_free(p->key);
    p->key = copy;
    p->key_len = copy ? len : 0;
}

void evs_place_copy(struct evs_place *to, const struct evs_place *from)
{
    if (to == from)
        return;
    evs_place_set(&to->topic, from->topic);
    evs_place_set(&to->group, from->group);
    evs_place_set(&to->job, from->job);
    evs_place_set(&to->text, from->text);
    evs_place_set_key(to, from->key, from->key_len);
    to->partition = from->partition;
    to->offset = from->offset;
    to->offset_to = from->offset_to;
    to->from_ms = from->from_ms;
    to->to_ms = from->to_ms;
    to->alone = from->alone;
}

void evs_place_done(struct evs_place *p)
{
    evs_free(p->topic);
    evs_free(p->group);
    evs_free(p->job);
    evs_free(p->text);
    evs_free(p->key);
    *p = (struct evs_place)EVS_PLACE_INIT;
}

static bool same(const char *a, const char *b)
{
    return a && b ? !strcmp(a, b) : a == b;
}

bool evs_place_equal(const struct evs_place *a, const struct evs_place *b)
{
    bool keys = a->key_len == b->key_len && !a->key == !b->key &&
                (!a->key || !memcmp(a->key, b->key, a->key_len));
    return keys && same(a->topic, b->topic) && same(a->group, b->group) && same(a->job, b->job) &&
           same(a->text, b->text) && a->partition == b->partition && a->offset == b->offset &&
           a->offset_to == b->offset_to && a->from_ms == b->from_ms && a->to_ms == b->to_ms &&
           a->alone == b->alone;
}
