"""What the configuration file says of the interface, and First run's starter file."""
import stat


def conf_of(evs):
    return evs.home / "config" / "eventscope" / "eventscope.conf"


def test_first_run_writes_a_starter_once(evs, tui):
    t = tui(rows=24, cols=100)
    t.wait("write a starter configuration")
    t.send("down", "down", "down", "enter").wait("wrote ")
    path = conf_of(evs)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "brokers = localhost:9092" in path.read_text()
    path.write_text("mine")
    t.send("enter").wait("exists")
    assert path.read_text() == "mine"


def test_a_broken_file_is_shown_and_can_be_edited(evs, tui):
    path = conf_of(evs)
    path.parent.mkdir(parents=True)
    path.write_text("[cluster a]\nbrokes = x:1\n")
    t = tui(rows=24, cols=100)
    t.wait('eventscope.conf:2: unknown key "brokes": did you mean "brokers"?')
    t.wait("E edit the configuration")


def test_theme_and_profile_from_the_file(evs, kafka, tui):
    path = conf_of(evs)
    path.parent.mkdir(parents=True)
    path.write_text(f"[defaults]\ntheme = nowhere\n[cluster blue]\nbrokers = {kafka}\n"
                    "production = true\nread-only = true\n")
    got = evs("--ascii")
    assert got.code == 2 and "nowhere" in got.err
    t = tui("--theme", "mono", rows=24, cols=110)
    t.wait("blue").wait("PROD").wait("locked")
