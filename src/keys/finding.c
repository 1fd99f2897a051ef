#include "keys/finding.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/text.h"
#include "core/xalloc.h"

enum { TEXT_CAP = 4096 };

struct evs_finding *finding_add(struct diag *d, const char *kind, enum evs_severity severity)
{
    d->r->finding = evs_xgrow(d->r->finding, d->r->n + 1, sizeof(*d->r->finding));
    struct evs_finding *f = &d->r->finding[d->r->n++];
    *f = (struct evs_finding){.kind = kind, .severity = severity};
    return f;
}

bool finding_has(const struct diag *d, const char *kind)
{
    for (size_t i = 0; i < d->r->n; i++)
        if (strcmp(d->r->finding[i].kind, kind) == 0)
            return true;
    return false;
}

struct evs_buf *finding_text(struct diag *d)
{
    d->text = (struct evs_buf)EVS_BUF_INIT(TEXT_CAP);
    return &d->text;
}

void finding_close(struct diag *d, struct evs_finding *f, char *advice)
{
    f->text = evs_buf_steal(&d->text);
    f->advice = advice;
}

void finding_key(struct evs_buf *to, const struct evs_key_detail *k, size_t cols)
{
    if (k->key_len == 0)
        evs_buf_adds(to, "\"\"");
    else
        evs_text_fit(to, k->key, k->key_len, cols, EVS_CUT_END);
}

static struct evs_fact *fact(struct evs_finding *f, const char *name)
{
    assert(f->n_facts < EVS_FACTS);
    f->fact[f->n_facts] = (struct evs_fact){.name = name};
    return &f->fact[f->n_facts++];
}

void fact_num(struct evs_finding *f, const char *name, double v)
{
    struct evs_fact *x = fact(f, name);
    x->number = v;
    x->null = isnan(v);
}

void fact_int(struct evs_finding *f, const char *name, double v)
{
    struct evs_fact *x = fact(f, name);
    x->number = v;
    x->integer = true;
}

void fact_str(struct evs_finding *f, const char *name, const char *s)
{
    struct evs_fact *x = fact(f, name);
    x->null = !s;
    x->text = evs_xstrdup(s);
    x->text_len = s ? strlen(s) : 0;
}

void fact_key(struct evs_finding *f, const char *name, const struct evs_key_detail *k)
{
    struct evs_fact *x = fact(f, name);
    x->text = evs_xmemdup(k->key, k->key_len);
    x->text_len = k->key_len;
}

int placement_index(const struct evs_partitioner *p)
{
    for (int i = 0; evs_partitioners[i]; i++)
        if (evs_partitioners[i] == p)
            return i;
    return 0;
}

const char *evs_severity_name(enum evs_severity s)
{
    static const char *const names[] = {"info", "warn", "critical"};
    return names[s];
}

void evs_report_free(struct evs_report *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n; i++) {
        evs_free(r->finding[i].text);
        evs_free(r->finding[i].advice);
        for (size_t k = 0; k < r->finding[i].n_facts; k++)
            evs_free(r->finding[i].fact[k].text);
    }
    evs_free(r->finding);
    evs_heat_patterns_free(r->pattern, r->n_patterns);
    evs_heat_grid_done(&r->grid);
    evs_free(r);
}
