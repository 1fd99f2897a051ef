#include "kafka/sample.h"

#include <stdio.h>
#include <string.h>

#include "core/xalloc.h"

enum {
    SLOTS = 108, /* of 20 minutes: 36 h */
    SLOT_MS = 20 * 60 * 1000,
    HOT_SINCE = 11, /* slots: the hot key appears */
    BURST_FROM = 52,
    BURST_TO = 55,
    GAP_FROM = 74,
    GAP_TO = 77,
    VALUE_CAP = 4 << 20
};

const char evs_sample_stuck_topic[] = "shop.payments.captured";

static uint64_t next(struct evs_sample_gen *g)
{
    uint64_t z = g->random += 0x9e3779b97f4a7c15u; /* splitmix64 (Steele, Lea, Flood 2014) */
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static int64_t below(struct evs_sample_gen *g, int64_t n)
{
    return (int64_t)(next(g) % (uint64_t)n);
}

static double unit(struct evs_sample_gen *g)
{
    return (double)(next(g) >> 11) * 0x1p-53;
}

/* A day: quiet at the ends of the night, one burst, one gap of an hour. */
static double weight(int slot)
{
    int phase = slot % 72, up = phase < 36 ? phase : 72 - phase;
    double w = 0.25 + 0.75 * up / 36;
    if (slot >= GAP_FROM && slot < GAP_TO)
        return 0;
    return slot >= BURST_FROM && slot < BURST_TO ? w * 2.2 : w;
}

void evs_sample_gen_init(struct evs_sample_gen *g, uint64_t seed, int64_t now_ms)
{
    *g = (struct evs_sample_gen){seed, now_ms, 88000000, evs_xcalloc(SLOTS + 1, sizeof(double))};
    for (int i = 0; i < SLOTS; i++)
        g->rhythm[i + 1] = g->rhythm[i] + weight(i);
}

void evs_sample_gen_done(struct evs_sample_gen *g)
{
    evs_free(g->rhythm);
    g->rhythm = NULL;
}

void evs_sample_init(struct evs_sample *s)
{
    memset(s, 0, sizeof(*s));
    s->key = (struct evs_buf)EVS_BUF_INIT(256);
    s->value = (struct evs_buf)EVS_BUF_INIT(VALUE_CAP);
}

void evs_sample_done(struct evs_sample *s)
{
    evs_buf_done(&s->key);
    evs_buf_done(&s->value);
}

/* Clears s and sets the time of record i of n, rising with i; returns its slot (of live ones the
 * last). */
static int begin(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    evs_buf_reset(&s->key);
    evs_buf_reset(&s->value);
    s->null_key = s->tombstone = false;
    s->partition = -1;
    s->hash = EVS_SAMPLE_MURMUR2;
    s->n_headers = 0;
    s->ts_ms = g->now_ms;
    if (i >= n)
        return SLOTS - 1;
    double want = ((double)i + unit(g)) / (double)n * g->rhythm[SLOTS];
    int low = 0, high = SLOTS;
    while (high - low > 1) {
        int mid = (low + high) / 2;
        *(g->rhythm[mid] <= want ? &low : &high) = mid;
    }
    double in_slot = (want - g->rhythm[low]) / (g->rhythm[low + 1] - g->rhythm[low]);
    s->ts_ms = g->now_ms - (int64_t)(SLOTS - low) * SLOT_MS + (int64_t)(in_slot * SLOT_MS);
    return low;
}

static void header(struct evs_sample *s, const char *name, const char *value)
{
    s->headers[s->n_headers].name = name;
    snprintf(s->headers[s->n_headers].value, sizeof(s->headers[0].value), "%s", value);
    s->n_headers++;
}

static void trace_headers(struct evs_sample_gen *g, struct evs_sample *s, const char *source)
{
    char id[24];
    snprintf(id, sizeof(id), "%08x", (unsigned)next(g));
    header(s, "trace-id", id);
    header(s, "source", source);
}

/* --- shop.orders.placed ---------------------------------------------------------------------- */

/* The traced customer: one order after another through its states, at last deleted. */
static void traced_order(struct evs_sample_gen *g, struct evs_sample *s, int64_t step, bool last)
{
    static const char *const what[] = {"placed", "paid", "shipped", "placed", "returned"};
    int64_t order = 88120000 + step / 5;
    int at = (int)(step % 5);
    evs_buf_adds(&s->key, "User:5504");
    trace_headers(g, s, "web");
    if (last) {
        s->tombstone = true;
        return;
    }
    evs_buf_printf(&s->value, "{\"type\":\"%s\",\"orderId\":\"ORD-%lld\",\"status\":\"%s\"",
                   what[at], (long long)order + (at == 3), what[at]);
    if (at == 0 || at == 3)
        evs_buf_printf(&s->value,
                       ",\"total\":%lld.90,\"carrier\":null,\"items\":[{\"sku\":\"10077\","
                       "\"n\":1},{\"sku\":\"20931\",\"n\":2},{\"sku\":\"30112\",\"n\":1}]",
                       (long long)(80 + step % 200));
    else if (at == 2)
        evs_buf_adds(&s->value, ",\"carrier\":\"DHL\"");
    else if (at == 4)
        evs_buf_adds(&s->value, ",\"refund\":true,\"reason\":\"size\",\"carrier\":null");
    evs_buf_addc(&s->value, '}');
}

static void order_key(struct evs_sample_gen *g, struct evs_sample *s, int slot)
{
    static const struct {
        const char *key;
        double share;
    } heavy[] = {{"User:730", 0.0084},  {"User:88", 0.0063},  {"User:4711", 0.0051},
                 {"User:2044", 0.0042}, {"User:17", 0.0041},  {"User:9001", 0.0036},
                 {"User:501", 0.0033},  {"User:1188", 0.0032}};
    double u = unit(g), hot = slot >= HOT_SINCE ? 0.41 : 0;
    if (u < hot) {
        evs_buf_adds(&s->key, "User:123");
        return;
    }
    u -= hot;
    for (size_t i = 0; i < sizeof(heavy) / sizeof(heavy[0]); i++) {
        if (u < heavy[i].share) {
            evs_buf_adds(&s->key, heavy[i].key);
            return;
        }
        u -= heavy[i].share;
    }
    evs_buf_printf(&s->key, "User:%lld", (long long)(10000 + below(g, 18000)));
}

static void bulk_order(struct evs_sample_gen *g, struct evs_sample *s)
{
    evs_buf_adds(&s->value, "{\"type\":\"bulk\",\"orderId\":\"ORD-88120478\",\"items\":[");
    while (s->value.len < 1900000)
        evs_buf_printf(&s->value, "{\"sku\":\"%05d\",\"n\":%d},", (int)below(g, 100000),
                       1 + (int)below(g, 9));
    evs_buf_adds(&s->value, "{\"sku\":\"00000\",\"n\":1}]}");
}

static void make_order(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    int slot = begin(g, i, n, s);
    if (i % 250 == 7) {
        traced_order(g, s, i / 250, i < n && i + 250 >= n);
        return;
    }
    order_key(g, s, slot);
    trace_headers(g, s, next(g) % 3 ? "web" : "mobile");
    g->order++;
    if (i == n - n / 500) {
        evs_buf_reset(&s->key);
        evs_buf_adds(&s->key, "User:123");
        bulk_order(g, s);
    } else if (i % 4001 == 4000) {
        s->tombstone = true;
    } else {
        evs_buf_printf(
            &s->value,
            "{\"type\":\"placed\",\"orderId\":\"ORD-%lld\",\"total\":%d.%02d,"
            "\"ledgerId\":%lld,\"status\":\"placed\",\"items\":[{\"sku\":\"%05d\",\"n\":%d},"
            "{\"sku\":\"%05d\",\"n\":1},{\"sku\":\"%05d\",\"n\":1}]}",
            (long long)g->order, 5 + (int)below(g, 300), (int)below(g, 100),
            9007199254740993LL + (long long)i, (int)below(g, 40000), 1 + (int)below(g, 3),
            (int)below(g, 40000), (int)below(g, 40000));
    }
}

/* --- the other topics ------------------------------------------------------------------------ */

static void make_payment(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    begin(g, i, n, s);
    header(s, "source", "payment-gateway");
    header(s, "producer", "gw-7");
    bool broken = i == n - 360; /* about 22 minutes before the end */
    evs_buf_printf(&s->key, "pay_%lld", broken ? 10442LL : (long long)(10000 + below(g, 60000)));
    evs_buf_printf(&s->value,
                   "{\"paymentId\":\"%s\",\"orderId\":\"ORD-%lld\",\"amount\":%d.%02d,"
                   "\"currency\":\"EUR\",\"method\":\"%s\",\"lines\":[",
                   s->key.data, (long long)(88000000 + i), 5 + (int)below(g, 400),
                   (int)below(g, 100), next(g) % 4 ? "card" : "transfer");
    if (!broken) {
        evs_buf_printf(&s->value, "{\"sku\":\"%05d\",\"net\":%d}]}", (int)below(g, 40000),
                       (int)below(g, 30000));
        return;
    }
    s->partition = EVS_SAMPLE_STUCK_PARTITION;
    while (s->value.len < EVS_SAMPLE_BREAK_AT - 40)
        evs_buf_printf(&s->value, "{\"sku\":\"%05d\",\"net\":%d},", (int)below(g, 40000),
                       (int)below(g, 30000));
    evs_buf_adds(&s->value, "\"");
    evs_buf_addn(&s->value, 'x', EVS_SAMPLE_BREAK_AT - s->value.len);
    evs_buf_addc(&s->value, (char)0xff);
    while (s->value.len < 1920000) { /* what a crashed producer's buffer held */
        uint64_t junk = next(g) | 0x8080000000000080u;
        evs_buf_add(&s->value, &junk, sizeof(junk));
    }
}

static void make_cancelled(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    static const char *const reasons[] = {"late", "price", "duplicate", "other"};
    begin(g, i, n, s);
    trace_headers(g, s, "web");
    evs_buf_printf(&s->key, "User:%lld", (long long)(10000 + below(g, 18000)));
    evs_buf_printf(&s->value, "{\"type\":\"cancelled\",\"orderId\":\"ORD-%lld\",\"reason\":\"%s\"}",
                   (long long)(88000000 + i * 50), reasons[next(g) % 4]);
}

/* Since the second half of the past a second producer writes with another partitioner. */
static void make_stock(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    begin(g, i, n, s);
    int64_t sku = i % 20 == 0 ? 10077 : i % 101 == 0 ? 20931 : 10000 + below(g, 5200);
    bool librdkafka = i >= n * 44 / 100 && next(g) % 10 < 7;
    s->hash = librdkafka ? EVS_SAMPLE_CRC32 : EVS_SAMPLE_MURMUR2;
    header(s, "source", librdkafka ? "stock-sync-c" : "warehouse-java");
    evs_buf_printf(&s->key, "sku:%lld", (long long)sku);
    evs_buf_printf(&s->value, "{\"sku\":\"%lld\",\"delta\":%d,\"warehouse\":\"%s\",\"level\":%d}",
                   (long long)sku, (int)below(g, 21) - 10, next(g) % 2 ? "HAM" : "LEJ",
                   (int)below(g, 900));
}

static void make_shipment(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    begin(g, i, n, s);
    trace_headers(g, s, "dispatch");
    evs_buf_printf(&s->key, "ORD-%lld", (long long)(88000000 + i));
    evs_buf_printf(&s->value,
                   "{\"type\":\"dispatched\",\"orderId\":\"ORD-%lld\",\"carrier\":\"%s\","
                   "\"parcels\":%d,\"weight\":%d.%d}",
                   (long long)(88000000 + i), next(g) % 3 ? "DHL" : "DPD", 1 + (int)below(g, 3),
                   (int)below(g, 20), (int)below(g, 10));
}

static void make_customer(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    static const char *const first[] = {"anna", "ben",   "carla", "david",
                                        "eva",  "felix", "greta", "hugo"};
    begin(g, i, n, s);
    header(s, "source", "crm");
    int64_t id = below(g, 160);
    bool moved = i > n / 2 && id % 5 == 0; /* the address changes, the customer stays */
    char email[64];
    snprintf(email, sizeof(email), "%s.%lld@%s", first[id % 8], (long long)id,
             moved ? "new-mail.example" : "mail.example");
    if (i % 50 == 49)
        evs_buf_printf(&s->key, "C-%04lld", (long long)id);
    else
        evs_buf_adds(&s->key, email);
    if (i % 64 == 63) {
        s->tombstone = true;
        return;
    }
    evs_buf_printf(&s->value,
                   "{\"customerId\":\"C-%04lld\",\"email\":\"%s\",\"tier\":\"%s\",\"rev\":%lld}",
                   (long long)id, email, id % 7 ? "basic" : "gold", (long long)i);
}

static void make_audit(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    static const char *const verbs[] = {"login", "export", "grant", "revoke", "read"};
    begin(g, i, n, s);
    header(s, "source", "gatekeeper");
    evs_buf_printf(&s->key, "actor:%lld", (long long)below(g, 240));
    evs_buf_printf(
        &s->value, "{\"actor\":\"%s\",\"verb\":\"%s\",\"target\":\"doc:%lld\",\"ok\":%s}",
        s->key.data, verbs[next(g) % 5], (long long)below(g, 9000), next(g) % 9 ? "true" : "false");
}

static void make_legacy(struct evs_sample_gen *g, int64_t i, int64_t n, struct evs_sample *s)
{
    begin(g, i, n, s);
    evs_buf_printf(&s->key, "%lld", (long long)(500000 + below(g, 900)));
    evs_buf_printf(&s->value, "{\"OrderNo\":%s,\"State\":\"%s\",\"Sum\":\"%d,%02d\"}", s->key.data,
                   next(g) % 2 ? "NEW" : "DONE", 5 + (int)below(g, 300), (int)below(g, 100));
}

const struct evs_sample_topic evs_sample_topics[] = {
    {"shop.orders.placed", 12, 48123, 7.7, make_order},
    {"shop.payments.captured", 6, 22014, 12.4, make_payment},
    {"shop.orders.cancelled", 12, 961, 0.4, make_cancelled},
    {"shop.inventory.adjusted", 24, 83106, 42, make_stock},
    {"shop.shipments.dispatched", 12, 19012, 8, make_shipment},
    {"crm.customer.changed", 6, 5120, 0.2, make_customer},
    {"ops.audit.recorded", 1, 7409, 1.9, make_audit},
    {"OrdersTopic_v2", 6, 1204, 0, make_legacy},
    {"shop.carts.abandoned", 8, 0, 0, NULL},
    {NULL, 0, 0, 0, NULL},
};

const struct evs_sample_group evs_sample_groups[] = {
    {"payments-view", {"shop.payments.captured"}, EVS_HABIT_STUCK, 12},
    {"email-sender", {"shop.orders.cancelled"}, EVS_HABIT_STOPPED, 60},
    {"audit-copy", {"ops.audit.recorded"}, EVS_HABIT_REWOUND, 0},
    {"orders-projection", {"shop.orders.placed"}, EVS_HABIT_SLOW, 184},
    {"crm-import", {"crm.customer.changed"}, EVS_HABIT_SILENT, 0},
    {"fraud-scoring", {"shop.shipments.dispatched", "shop.orders.placed"}, EVS_HABIT_FOLLOWS, 48},
    {"stock-cache", {"shop.inventory.adjusted"}, EVS_HABIT_FOLLOWS, 0},
    {NULL, {NULL, NULL}, EVS_HABIT_SILENT, 0},
};
