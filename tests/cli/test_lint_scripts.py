"""The checks of tests/lint find what they are there to find, in a small bad tree."""
import shutil
import subprocess

import pytest

from support import paths

GOOD_HEADER = "/* a.h - an example.\n *\n * Threads  none.\n */\nint evs_a(void);\n"


@pytest.fixture
def check(tmp_path):
    for folder in ("src/core", "src/ui", "src/kafka", "src/keys", "src/lag", "tests"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copytree(paths.ROOT / "tests" / "lint", tmp_path / "tests" / "lint")
    (tmp_path / "dev").write_text("#!/bin/sh\n")

    def run(script, **files):
        for name, text in files.items():
            room, _, rest = name.partition("__")
            (tmp_path / "src" / room / rest.replace("_", ".")).write_text(text)
        got = subprocess.run([tmp_path / "tests" / "lint" / script], text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert (got.returncode == 0) == (got.stdout == ""), got.stdout
        return got.stdout
    return run


@pytest.mark.parametrize("file,include,wrong", [
    ("core__a_c", '"kafka/client.h"', "core may not include kafka/client.h"),
    ("keys__a_c", '"lag/poller.h"', "keys may not include lag/poller.h"),
    ("ui__a_c", '"cli/out.h"', "ui may not include cli/out.h"),
    ("lag__a_c", "<librdkafka/rdkafka.h>", "<librdkafka/rdkafka.h> belongs to"),
    ("core__a_c", "<curses.h>", "<curses.h> belongs to"),
    ("ui__a_c", '"config.h"', "config.h comes in by -include"),
    ("ui__a_c", '"keys/scan.h"', ""),
    ("kafka__a_c", "<librdkafka/rdkafka.h>", ""),
])
def test_includes(check, file, include, wrong):
    found = check("includes.sh", **{file: f"#include {include}\n"})
    assert wrong in found and bool(found) == bool(wrong)


def body(lines):
    return "int evs_f(int x)\n{\n" + "".join(lines) + "}\n"


@pytest.mark.parametrize("text,wrong", [
    (body(["    x++;\n"] * 60), ""),
    (body(["    x++;\n"] * 61), "evs_f() has 61 lines"),
    ("\n" * 500, ""),
    ("\n" * 501, "501 lines, the limit is 500"),
    ("/* " + "\u00e9" * 97 + "\n*/\n", ""),
    ("/* " + "x" * 98 + "\n*/\n", "101 columns"),
    (body(["if (x) {\n"] * 4 + ["}\n"] * 4), ""),
    (body(["if (x) {\n"] * 5 + ["}\n"] * 5), "nesting 5 in evs_f()"),
    (body(['puts("{{{{{{{");\n', "/* {{{{{{{ */\n"]), ""),
])
def test_sizes(check, text, wrong):
    found = check("sizes.sh", core__a_c=text)
    assert wrong in found and bool(found) == bool(wrong)


@pytest.mark.parametrize("file,text,wrong", [
    ("ui__a_c", "x = malloc(3);\n", "malloc() may not be used here"),
    ("core__a_c", "x = malloc(3);\n", ""),
    ("core__a_c", "gets(x);\n", "gets() may not"),
    ("ui__a_c", "/* malloc(3) */ puts(\"sleep(1)\"); evs_xmalloc(3); ev.system(1);\n", ""),
    ("lag__a_c", "pthread_mutex_lock(&m);\n", "pthread_mutex_lock() may not"),
    ("lag__a_c", "exit(1);\n", "exit() may not"),
])
def test_banned(check, file, text, wrong):
    found = check("banned.sh", **{file: text})
    assert wrong in found and bool(found) == bool(wrong)


@pytest.mark.parametrize("text,wrong", [
    (GOOD_HEADER, ""),
    ("#pragma once\n" + GOOD_HEADER, "opens with /* a.h - "),
    ("/* a.h - an example. */\nint evs_a(void);\n", "does not speak of Threads"),
])
def test_headers(check, text, wrong):
    found = check("headers.sh", core__a_h=text)
    assert wrong in found and bool(found) == bool(wrong)


@pytest.mark.parametrize("listed,text,wrong", [
    ("a.c", "int x;\n", ""),
    ("b.c", "int x;\n", "src/core/a.c: is not in src/core/Makefile.inc"),
    ("a.c", 'char *x = "/' + 'root/secret";\n', "a path of one machine"),
])
def test_tree(check, tmp_path, listed, text, wrong):
    (tmp_path / "src/core/Makefile.inc").write_text(f"src/core/{listed}\n")
    found = check("tree.sh", core__a_c=text)
    assert wrong in found and bool(found) == bool(wrong)
