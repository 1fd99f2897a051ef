"""The manual page and the completions come from the same tables as --help, and are complete."""
import re
import subprocess

import pytest


@pytest.fixture
def commands(evs):
    listed = evs("--help").ok().out.split("\nCommands\n")[1].split("\n\n")[0]
    return re.findall(r"^  ([a-z]+)", listed, re.M)


def options(text):
    return set(re.findall(r"(?<![\w-])--([a-z][a-z-]+)", text))


def test_manual_page_names_every_command_and_option(evs, commands):
    page = evs("man").ok().out.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")
    for c in commands:
        assert f'.SS "eventscope {c}' in page
        offered = re.findall(r"^  (?:-\w, |    )--([a-z-]+)", evs(c, "--help").ok().out, re.M)
        assert offered and set(offered) <= options(page), c
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "ENVIRONMENT", "FILES"):
        assert re.search(rf'^\.SH "?{section}', page, re.M), section


def test_manual_page_holds_no_stray_request(evs):
    known = {".TH", ".SH", ".SS", ".TP", ".PP", ".B", ".nf", ".fi"}
    for line in evs("man").ok().out.splitlines():
        assert not line.startswith("'") and (not line.startswith(".") or line.split()[0] in known)


def complete(script, *words):
    """What bash offers for the last of the words."""
    code = (f"source {script}; COMP_WORDS=({' '.join(repr(w) for w in words)}); "
            f"COMP_CWORD={len(words) - 1}; _eventscope; printf '%s\\n' \"${{COMPREPLY[@]}}\"")
    return subprocess.run(["bash", "-c", code], stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()


def test_bash_completes(evs, commands, tmp_path):
    script = tmp_path / "eventscope"
    script.write_bytes(evs("completion", "bash").ok().raw)
    assert set(commands) <= set(complete(script, "eventscope", ""))
    for c in commands:
        offered = {w.lstrip("-") for w in complete(script, "eventscope", c, "--")}
        assert offered == options("\n".join(
            re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", evs(c, "--help").ok().out, re.M))), c


@pytest.mark.parametrize("shell,head", [("zsh", "#compdef eventscope"),
                                        ("fish", "# fish completion of eventscope")])
def test_other_shells_name_every_command(shell, head, evs, commands):
    script = evs("completion", shell).ok().out
    assert script.startswith(head)
    for c in commands:
        assert c in script


def test_an_unknown_shell(evs):
    evs("completion", "tcsh").failed(2, "tcsh", "bash, zsh and fish")
