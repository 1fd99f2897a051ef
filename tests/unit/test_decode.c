#include <stdio.h>

#include "decode/decoder.h"
#include "decode/wire.h"
#include "test.h"

static void chooses(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t n;
        const char *decoder, *out, *why;
    } v[] = {
        {"{ \"a\": 184.90 }", 15, "json", "{\"a\":184.90}", ""},
        {"[1, 2]", 6, "json", "[1,2]", ""},
        {"[WARN] disk", 11, "text", "[WARN] disk", "not JSON at byte 1: no JSON value starts so"},
        {"{placeholder}", 13, "text", "{placeholder}", ""},
        {"42", 2, "json", "42", ""},
        {"User:123", 8, "text", "User:123", ""},
        {"abcd", 4, "text", "abcd", ""},
        {"", 0, "text", "", ""},
        {"{\"a\":1,", 7, "text", "{\"a\":1,", "not JSON at byte 7: text ends early"},
        {"{\"a\":\"\xff\xfe\x01", 9, "hex", "7b 22 61 22 3a 22 ff fe 01", ""},
        {"\0\0\0\0\0\0\0\x2a", 8, "int64", "42", ""},
        {"\0\0\x01\x9a\xa0\0\0\0", 8, "int64", "1763620945920", ""},
        {"\xff\xff\xff\xff", 4, "int32", "-1", ""},
        {"\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x14\x17\x40\x00", 16, "uuid",
         "123e4567-e89b-12d3-a456-426614174000", ""},
        {"\x12\x3e\x45\x67\xe8\x9b\x02\xd3\xa4\x56\x42\x66\x14\x17\x40\x00", 16, "hex",
         "12 3e 45 67 e8 9b 02 d3 a4 56 42 66 14 17 40 00", ""},
        {"\xff\0\xfe", 3, "hex", "ff 00 fe", ""},
        {"a\x1b[31mred text", 14, "text", "a\x1b[31mred text", ""},
    };
    for (size_t i = 0; i < EVS_COUNT(v); i++) {
        EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
        struct evs_decoded d;
        evs_decode(NULL, v[i].bytes, v[i].n, &b, &d);
        assert_string_equal(d.decoder->name, v[i].decoder);
        assert_string_equal(evs_buf_str(&b), v[i].out);
        assert_string_equal(d.why, v[i].why);
    }
}

static void late_binary_in_json_is_named(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf in = EVS_BUF_INIT(1 << 20), out = EVS_BUF_INIT(1 << 22);
    evs_buf_adds(&in, "{\"items\":[");
    while (in.len < 200000)
        evs_buf_adds(&in, "\"sku\",");
    size_t breaks = in.len;
    evs_buf_add(&in, "\x80\xff\0", 3);
    struct evs_decoded d;
    evs_decode(NULL, in.data, in.len, &out, &d);
    assert_string_equal(d.decoder->name, "hex");
    char want[64];
    snprintf(want, sizeof(want), "not JSON at byte %zu,%03zu: ", breaks / 1000, breaks % 1000);
    assert_memory_equal(d.why, want, strlen(want));
}

static void null_and_forced(void **state)
{
    (void)state;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
    struct evs_decoded d;
    evs_decode(NULL, NULL, 0, &b, &d);
    assert_string_equal(evs_buf_str(&b), "null");
    evs_buf_reset(&b);
    evs_decode(evs_decoder_find("hex"), "ab", 2, &b, &d);
    assert_string_equal(evs_buf_str(&b), "61 62");
    evs_buf_reset(&b);
    evs_decode(evs_decoder_find("int64"), "ab", 2, &b, &d);
    assert_string_equal(d.decoder->name, "text");
    assert_string_equal(d.why, "not a 64-bit integer: 2 bytes in place of 8");
    assert_null(evs_decoder_find("nothing"));
}

static void wire_fields_without_a_schema(void **state)
{
    (void)state;
    static const struct {
        const char *in;
        size_t n;
        const char *out; /* NULL: the error's start follows */
        const char *err;
    } rows[] = {
        {"\x08\x96\x01", 3, "1: 150", NULL}, /* the documentation's own examples */
        {"\x12\x07testing", 9, "2: \"testing\"   7 bytes", NULL},
        {"\x1a\x03\x08\x96\x01", 5, "3: {\n  1: 150\n}", NULL},
        {"\x08\x01", 2, "1: 1   sint -1", NULL},
        {"\x0d\x00\x00\xc0\x3f", 5, "1: 1069547520   float 1.5", NULL},
        {"\x0a\x02\x00\xff", 4, "1: 00 ff   2 bytes", NULL},
        {"\x00\x00\x00\x00\x07\x00\x08\x02", 8, "schema id 7\n1: 2", NULL},
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, "1: 18446744073709551615   int -1",
         NULL},
        {"{\"a\":1}", 7, NULL, "no wire fields at byte 1: no such wire type"},
        {"\x12\x07test", 6, NULL, "no wire fields at byte 1: a length beyond the end"},
        {"\x08\x80", 2, NULL, "no wire fields at byte 1: a number does not end"},
        {"\x00", 1, NULL, "no wire fields at byte 0: no field number"},
        {"", 0, NULL, "no wire fields: empty"},
    };
    for (size_t i = 0; i < EVS_COUNT(rows); i++) {
        struct evs_err err = EVS_ERR_INIT;
        EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(4096);
        enum evs_rc rc = evs_wire_text(rows[i].in, rows[i].n, &b, &err);
        assert_string_equal(rc ? err.msg : evs_buf_str(&b), rc ? rows[i].err : rows[i].out);
        assert_true(!rc || !b.len);
    }
    char deep[400]; /* messages in messages: the depth is bounded */
    size_t n = 0;
    for (int i = 0; i < 60; i++, n += 2) {
        deep[n] = 0x0a;
        deep[n + 1] = (char)(2 * (59 - i));
    }
    struct evs_err err = EVS_ERR_INIT;
    EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(1 << 16);
    assert_int_equal(evs_wire_text(deep, n, &b, &err), EVS_OK);
}

/* The registry's own rules: every member, many inputs. */
static void every_decoder_keeps_the_rules(void **state)
{
    (void)state;
    static const char *const in[] = {
        "",     "{", "\"",      "\xff", "{\"a\":1}", "abc", "12345678", "[[[[", "\x01\x02\x03\x04",
        "null", "-", "\xe2\x82"};
    for (size_t d = 0; evs_decoders[d]; d++) {
        assert_ptr_equal(evs_decoder_find(evs_decoders[d]->name), evs_decoders[d]);
        for (size_t i = 0; i < EVS_COUNT(in); i++) {
            struct evs_err err = EVS_ERR_INIT;
            EVS_AUTO(evs_buf) struct evs_buf b = EVS_BUF_INIT(64);
            size_t n = strlen(in[i]);
            int sure = evs_decoders[d]->sniff((const uint8_t *)in[i], n);
            assert_in_range(sure, 0, 100);
            enum evs_rc rc = evs_decoders[d]->decode((const uint8_t *)in[i], n, &b, &err);
            assert_true(rc == EVS_OK || rc == EVS_INVALID);
            assert_true(rc == EVS_OK || err.msg[0]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(late_binary_in_json_is_named),
        cmocka_unit_test(null_and_forced),
        cmocka_unit_test(wire_fields_without_a_schema),
        cmocka_unit_test(every_decoder_keeps_the_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
