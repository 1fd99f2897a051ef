#include <stdlib.h>

#include "core/conf.h"
#include "kafka/import.h"
#include "test.h"

static struct evs_conf parsed(const char *text)
{
    struct evs_conf conf;
    struct evs_err err = EVS_ERR_INIT;
    if (evs_conf_parse(text, strlen(text), "file", &conf, &err))
        fail_msg("%s", err.msg);
    return conf;
}

static void own_kind(void **state)
{
    (void)state;
    struct evs_conf c =
        parsed("; note\n[cluster a b]\n  name =  value ; kept # kept \r\nx=\ny: 1\n");
    assert_int_equal(c.kind, EVS_CONF_OWN);
    assert_int_equal(c.n, 3);
    assert_string_equal(c.items[0].section, "cluster a b");
    assert_string_equal(c.items[0].value, "value ; kept # kept");
    assert_int_equal(c.items[0].line, 3);
    assert_string_equal(evs_conf_find(&c, "cluster a b", "x")->value, "");
    assert_string_equal(evs_conf_find(&c, "cluster a b", "y")->value, "1");
    assert_null(evs_conf_find(&c, "cluster a b", "z"));
    assert_null(evs_conf_find(&c, "", "x"));
    evs_conf_done(&c);
    static char longer[40000] = "[a]\nok=1\nkey=";
    memset(longer + strlen(longer), 'x', sizeof(longer) - 1 - strlen(longer));
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_conf_parse(longer, strlen(longer), "file", &c, &err), EVS_INVALID);
    assert_string_equal(err.msg, "file:3: the line is too long");
}

static void pair_kinds(void **state)
{
    (void)state;
    struct evs_conf c = parsed("# c\n\n a.b = c=d \ne=\n");
    assert_int_equal(c.kind, EVS_CONF_KCAT);
    assert_int_equal(c.n, 2);
    assert_string_equal(c.items[0].name, "a.b");
    assert_string_equal(c.items[0].value, "c=d");
    assert_int_equal(c.items[0].line, 3);
    evs_conf_done(&c);
    c = parsed("key.serializer=x\na b\nc : d\\\r\n   e\\\n f\nu=\\u0041\\tz\\\\");
    assert_int_equal(c.kind, EVS_CONF_JAVA);
    assert_string_equal(evs_conf_find(&c, "", "a")->value, "b");
    assert_string_equal(evs_conf_find(&c, "", "c")->value, "def");
    assert_int_equal(evs_conf_find(&c, "", "c")->line, 3);
    assert_string_equal(evs_conf_find(&c, "", "u")->value, "A\tz\\");
    evs_conf_done(&c);
    struct evs_err err = EVS_ERR_INIT;
    assert_int_equal(evs_conf_parse("a=1\nword\n", 9, "file", &c, &err), EVS_INVALID);
    assert_string_equal(err.msg, "file:2: not name=value");
}

static void expands(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(256);
    struct evs_err err = EVS_ERR_INIT;
    bool outside = true;
    assert_int_equal(evs_conf_expand("a$$b{c}$d", &b, &outside, &err), EVS_OK);
    assert_string_equal(evs_buf_str(&b), "a$b{c}$d");
    assert_false(outside);
    setenv("EVS_TEST_X", "secret", 1);
    evs_buf_reset(&b);
    assert_int_equal(evs_conf_expand("<${env:EVS_TEST_X}>", &b, &outside, &err), EVS_OK);
    assert_string_equal(evs_buf_str(&b), "<secret>");
    assert_true(outside);
    static const char *const wrong[] = {"${env:EVS_TEST_NONE}", "${file:/nowhere}", "${x}",
                                        "${env:A"};
    for (size_t i = 0; i < EVS_COUNT(wrong); i++)
        assert_int_equal(evs_conf_expand(wrong[i], &b, NULL, &err), EVS_INVALID);
    evs_buf_reset(&b);
    assert_int_equal(evs_conf_command("printf 'one\\ntwo\\n'", &b, &err), EVS_OK);
    assert_string_equal(evs_buf_str(&b), "one");
    assert_int_equal(evs_conf_command("true", &b, &err), EVS_INVALID);
    assert_int_equal(evs_conf_command("exit 2", &b, &err), EVS_INVALID);
}

static void java_stores(void **state)
{
    (void)state;
    struct evs_conf c = parsed("key.serializer=x\nssl.keystore.location=/k.p12\n"
                               "ssl.keystore.password=p\nssl.truststore.location=/t.pem\n"
                               "sasl.jaas.config=x.Krb5LoginModule required keyTab=\"/kt\" "
                               "principal=\"me@R\" useKeyTab=true;\n");
    struct evs_client_conf to;
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf ignored = EVS_BUF_INIT(256);
    evs_client_conf_init(&to);
    assert_int_equal(evs_import(&c, &to, &ignored, &err), EVS_OK);
    assert_string_equal(evs_client_conf_get(&to, "ssl.keystore.location"), "/k.p12");
    assert_string_equal(evs_client_conf_get(&to, "ssl.ca.location"), "/t.pem");
    assert_string_equal(evs_client_conf_get(&to, "sasl.kerberos.keytab"), "/kt");
    assert_string_equal(evs_client_conf_get(&to, "sasl.kerberos.principal"), "me@R");
    assert_string_equal(evs_buf_str(&ignored), "key.serializer");
    evs_client_conf_done(&to);
    evs_conf_done(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(own_kind),
        cmocka_unit_test(pair_kinds),
        cmocka_unit_test(expands),
        cmocka_unit_test(java_stores),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
