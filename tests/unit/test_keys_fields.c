/* Which field should be the key: values made so that the answer is known. */
#include "test.h"

#include <math.h>
#include <stdio.h>

#include "keys/boot.h"
#include "keys/fields.h"

static struct evs_fields_advice *judged(int runs)
{
    struct evs_fields *all = evs_fields_new(6), *part = evs_fields_new(6);
    uint64_t rng = 1;
    for (int i = 0; i < runs; i++) {
        char key[40], value[500];
        unsigned customer = (unsigned)(evs_boot_rng(&rng) % 500);
        int n = snprintf(key, sizeof(key), "c-%u", customer);
        int len = snprintf(
            value, sizeof(value),
            "{\"customer\":{\"id\":\"c-%u\",\"email\":\"c%u@example.com\"},\"shop\":\"s-%u\","
            "\"order\":\"o-%u-%u\",\"status\":\"%s\",\"total\":%u.%02u,\"vip\":%s,"
            "\"at\":\"2026-11-22T14:32:%02d\",\"tags\":[\"x\",{\"deep\":1}],\"none\":null%s}",
            customer, customer, customer % 40, customer, (unsigned)(evs_boot_rng(&rng) % 8),
            evs_boot_rng(&rng) % 2 ? "open" : "paid", (unsigned)(evs_boot_rng(&rng) % 100), i % 100,
            customer % 2 ? "true" : "false", i % 60, i % 4 ? "" : ",\"coupon\":\"k-1\"");
        evs_fields_add(i % 3 ? all : part, key, (size_t)n, value, (size_t)len);
    }
    evs_fields_add(all, "k", 1, "not json", 8);
    evs_fields_add(all, "k", 1, "[1,2]", 5);
    evs_fields_add(all, "k", 1, NULL, 0);
    evs_fields_merge(all, part);
    struct evs_fields_advice *a = evs_fields_judge(all);
    evs_fields_free(all);
    evs_fields_free(part);
    return a;
}

static const struct evs_field_advice *named(const struct evs_fields_advice *a, const char *name)
{
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->field[i].name, name) == 0)
            return &a->field[i];
    fail_msg("no field %s", name);
    return NULL;
}

static void the_right_field_first(void **state)
{
    (void)state;
    struct evs_fields_advice *a = judged(6000);
    assert_int_equal(a->read, 6002);
    assert_int_equal(a->objects, 6000);
    assert_string_equal(a->field[0].name, "customer.id");
    assert_string_equal(a->field[0].relation, "same");
    assert_non_null(strstr(a->field[0].verdict, "fit to be the key"));
    assert_true(a->field[0].changes_within_key == 0);
    assert_string_equal(named(a, "order")->relation, "finer");
    assert_string_equal(named(a, "shop")->relation, "coarser");
    assert_string_equal(named(a, "status")->relation, "attribute");
    assert_string_equal(named(a, "customer.email")->looks, "e-mail addresses");
    assert_string_equal(named(a, "total")->looks, "a measure");
    assert_string_equal(named(a, "vip")->looks, "a flag");
    assert_string_equal(named(a, "at")->looks, "a time");
    assert_true(fabs(named(a, "coupon")->present - 0.25) < 0.01);
    assert_true(fabs(named(a, "customer.id")->distinct - 500) < 40);
    assert_true(named(a, "status")->score < 10 && named(a, "vip")->score < 10);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_not_equal(a->field[i].name, "none");
        assert_null(strstr(a->field[i].name, "deep"));
    }
    evs_fields_advice_free(a);
}

static void nothing_to_judge(void **state)
{
    (void)state;
    struct evs_fields *f = evs_fields_new(1);
    evs_fields_add(f, NULL, 0, "", 0);
    evs_fields_add(f, NULL, 0, "{\"a\":", 5);
    struct evs_fields_advice *a = evs_fields_judge(f);
    assert_int_equal(a->n, 0);
    evs_fields_advice_free(a);
    evs_fields_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_field_first),
        cmocka_unit_test(nothing_to_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
