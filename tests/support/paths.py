"""Where things are. Everything may be moved by the environment; nothing is written elsewhere."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
SUPPORT = ROOT / "tests" / "support"
BUILD = pathlib.Path(os.environ.get("EVENTSCOPE_BUILD", ROOT / "build")).resolve()
EVENTSCOPE = pathlib.Path(os.environ.get("EVENTSCOPE_BIN", BUILD / "eventscope"))
CACHE = pathlib.Path(
    os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "eventscope"
SERVICES = pathlib.Path(os.environ.get("EVENTSCOPE_SERVICES_DIR", ROOT / ".services"))
