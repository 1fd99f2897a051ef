/* The parts of src/kafka that need no broker: configuration, partition lists, error words. */
#include "test.h"

#include <stdlib.h>

#include "core/xalloc.h"
#include "kafka/client.h"
#include "kafka/handle.h"
#include "kafka/range.h"

static void test_conf_is_a_map(void **state)
{
    struct evs_client_conf conf, copy;
    (void)state;
    evs_client_conf_init(&conf);
    assert_int_equal(conf.timeout_ms, 10000);
    assert_null(evs_client_conf_get(&conf, "bootstrap.servers"));
    evs_client_conf_set(&conf, "metadata.broker.list", "a:1", "kcat.conf:1");
    evs_client_conf_set(&conf, "bootstrap.servers", "b:2", "--brokers");
    evs_client_conf_set(&conf, "client.id", "x", "-X");
    assert_int_equal(conf.n_props, 2);
    assert_string_equal(evs_client_conf_get(&conf, "metadata.broker.list"), "b:2");
    assert_string_equal(conf.props[0].origin, "--brokers");
    evs_client_conf_copy(&copy, &conf);
    evs_client_conf_done(&conf);
    assert_string_equal(evs_client_conf_get(&copy, "client.id"), "x");
    evs_client_conf_done(&copy);
}

static void test_secrets(void **state)
{
    static const char *const yes[] = {"sasl.password", "ssl.key.password", "ssl.keystore.password",
                                      "ssl.key.pem", "sasl.oauthbearer.client.secret",
                                      "sasl.jaas.config", "ssl_key"};
    static const char *const no[] = {"sasl.username", "bootstrap.servers", "ssl.ca.location",
                                     "sasl.oauthbearer.token.endpoint.url", "client.id"};
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(yes); i++)
        assert_true(evs_client_is_secret(yes[i]));
    for (size_t i = 0; i < EVS_COUNT(no); i++)
        assert_false(evs_client_is_secret(no[i]));
}

static void test_properties_are_checked(void **state)
{
    static const struct {
        const char *name, *value, *msg, *hint;
    } rows[] = {
        {"client.id", "x", "no brokers", "--brokers"},
        {"bootstrap.servers", "", "no brokers", "--brokers"},
        {"sasl.mecanism", "PLAIN", "unknown property 'sasl.mecanism'", "sasl.mechanism"},
        {"fetch.wait.max.ms", "soon", "fetch.wait.max.ms", ""},
        {"security.protocol", "tls", "security.protocol", ""},
    };
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        struct evs_client_conf conf;
        struct evs_client *c = NULL;
        struct evs_err err = EVS_ERR_INIT;
        evs_client_conf_init(&conf);
        if (i > 1)
            evs_client_conf_set(&conf, "bootstrap.servers", "127.0.0.1:1", "test");
        evs_client_conf_set(&conf, rows[i].name, rows[i].value, "file:7");
        assert_int_equal(evs_client_new(&conf, &c, &err), EVS_INVALID);
        assert_non_null(strstr(err.msg, rows[i].msg));
        assert_non_null(strstr(err.hint, rows[i].hint));
        assert_true(i < 2 || strstr(err.msg, "file:7"));
        evs_client_conf_done(&conf);
    }
}

static void test_a_secret_is_never_in_a_message(void **state)
{
    struct evs_client_conf conf;
    struct evs_client *c = NULL;
    struct evs_err err = EVS_ERR_INIT;
    (void)state;
    evs_client_conf_init(&conf);
    evs_client_conf_set(&conf, "bootstrap.servers", "127.0.0.1:1", "test");
    evs_client_conf_set(&conf, "sasl.pasword", "hunter2", "file:9");
    assert_int_equal(evs_client_new(&conf, &c, &err), EVS_INVALID);
    assert_null(strstr(err.msg, "hunter2"));
    assert_null(strstr(err.hint, "hunter2"));
    evs_client_conf_done(&conf);
}

static void test_partition_lists(void **state)
{
    static const struct {
        const char *text;
        int n;
        int32_t want[4];
        const char *bad;
    } rows[] = {
        {"0", 1, {0}, NULL},         {"3,1", 2, {1, 3}, NULL},
        {"0-2", 3, {0, 1, 2}, NULL}, {"1-2,2,1", 2, {1, 2}, NULL},
        {"", 0, {0}, "''"},          {"4", 0, {0}, "partition 4 does not exist: there are 0 to 3"},
        {"2-9", 0, {0}, "9"},        {"3-1", 0, {0}, "backwards"},
        {"1,", 0, {0}, "'1,'"},      {"-1", 0, {0}, "'-1'"},
        {"a", 0, {0}, "'a'"},        {"99999999999", 0, {0}, "99999999999"},
    };
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        int32_t *list = NULL;
        size_t n = 0;
        struct evs_err err = EVS_ERR_INIT;
        enum evs_rc rc = evs_range_partitions(rows[i].text, 4, &list, &n, &err);
        assert_int_equal(rc, rows[i].bad ? EVS_INVALID : EVS_OK);
        if (rows[i].bad) {
            assert_non_null(strstr(err.msg, rows[i].bad));
            continue;
        }
        assert_int_equal(n, rows[i].n);
        assert_memory_equal(list, rows[i].want, n * sizeof(*list));
        evs_free(list);
    }
}

static void test_reasons_are_tidied(void **state)
{
    static const char *const rows[][2] = {
        {"sasl_ssl://h:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused "
         "(after 0ms in state CONNECT)", "h:9092: Connection refused"},
        {"h:9092/12: Disconnected (after 12ms in state UP, 3 identical error(s) suppressed)",
         "h:9092: Disconnected"},
        {"nosuch:9092/bootstrap: Failed to resolve 'nosuch:9092': Name or service not known "
         "(after 2ms in state CONNECT)",
         "nosuch:9092: name does not resolve: Name or service not known"},
        {"2/2 brokers are down", "2/2 brokers are down"},
        {"", ""},
        {": ", ": "},
    };
    (void)state;
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        char got[200];
        evs_kafka_tidy(rows[i][0], got, sizeof(got));
        assert_string_equal(got, rows[i][1]);
    }
    char small[8];
    evs_kafka_tidy(rows[0][0], small, sizeof(small)); /* cut, not overrun */
    assert_int_equal(strlen(small), 7);
}

static void test_spans(void **state)
{
    struct evs_range parts[] = {
        {.partition = 0, .from = 5, .to = 9},
        {.partition = 1, .from = 0, .to = EVS_RANGE_OPEN, .high = 20, .lso = 12},
        {.partition = 2, .from = 0, .to = 7, .error = (char *)(uintptr_t) "no leader"},
    };
    char topic[] = "t";
    struct evs_ranges r = {.topic = topic, .parts = parts, .n = 3};
    (void)state;
    assert_int_equal(evs_ranges_span(&r), 4 + 12);
    r.isolation = EVS_READ_UNCOMMITTED;
    assert_int_equal(evs_ranges_span(&r), 4 + 20);
    struct evs_ranges *copy = evs_ranges_copy(&r);
    assert_int_equal(evs_ranges_span(copy), 4 + 20);
    assert_string_equal(copy->parts[2].error, "no leader");
    evs_ranges_free(copy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conf_is_a_map),
        cmocka_unit_test(test_secrets),
        cmocka_unit_test(test_properties_are_checked),
        cmocka_unit_test(test_a_secret_is_never_in_a_message),
        cmocka_unit_test(test_partition_lists),
        cmocka_unit_test(test_reasons_are_tidied),
        cmocka_unit_test(test_spans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
