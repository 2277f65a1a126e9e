"""The command line, command by command, inside this process."""

from __future__ import annotations

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest

from engine.cli import main
from tests.modules import forgotten

BOT = """
from enum import StrEnum, auto
from pydantic import BaseModel
from engine import App
from flows import FlowBuilder, FlowRegistry, OnCommand, Router, Text

class Step(StrEnum):
    NAME = auto()
    CITY = auto()

class Data(BaseModel):
    name: str = ""
    city: str = ""

def built(name):
    flow = FlowBuilder(name, Step, Data)
    flow.ask(Step.NAME, "What's your name?", Text(), into="name")
    flow.ask(Step.CITY, "Which city?", Text(), into="city")
    return flow.build(initial=Step.NAME)

registry = FlowRegistry()
registry.register(OnCommand("start"), built("signup"))
registry.register(OnCommand("move"), built("moving"))
app = App(Router("bot"), registry=registry)
notes = "no app"
"""


BROKEN_STEP = """
    @flow.step(Step.CITY)
    async def city(turn):
        return 1 / 0
"""


@dataclass(frozen=True)
class Answer:
    """What a command left behind."""

    code: int
    out: str
    err: str


Run = Callable[..., Answer]


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Run]:
    """Runs the command line in an empty folder; modules that it imports are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    for variable in ("DATABASE_URL", "TELEGRAM_TOKEN", "LOG_LEVEL", "LOG_FORMAT"):
        monkeypatch.delenv(f"HANDRAIL_{variable}", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    importlib.invalidate_caches()

    def run(*arguments: str) -> Answer:
        with pytest.raises(SystemExit) as leaving:
            main(arguments)
        code = leaving.value.code
        out, err = capsys.readouterr()
        return Answer(code if isinstance(code, int) else 0, out, err)

    with forgotten(tmp_path):
        yield run


def package(name: str, source: str = BOT, **files: str) -> Path:
    """A package in the current folder."""
    folder = Path(name)
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(source)
    for file, text in files.items():
        (folder / f"{file}.txt").write_text(text)
    return folder


def test_version_is_that_of_the_distribution(run: Run) -> None:
    assert run("--version") == Answer(0, f"handrail {version('handrail')}\n", "")


def test_help_names_every_command(run: Run) -> None:
    shown = run("--help").out
    for command in ("demo", "run", "chat", "check", "graph", "test", "explore", "db", "new"):
        assert f" {command} " in shown


@pytest.mark.parametrize(
    "command",
    [
        *("demo", "run", "chat", "check", "graph", "test", "explore", "new"),
        *("db upgrade", "db current"),
    ],
)
def test_every_command_explains_itself_with_an_example(run: Run, command: str) -> None:
    answer = run(*command.split(), "--help")
    assert answer.code == 0
    assert "Example: " in answer.out


def test_an_unknown_command_is_a_usage_error(run: Run) -> None:
    assert run("dmeo").code == 2


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("onebot", "'onebot' does not name an app. Write MODULE:APP, such as onebot:app."),
        ("bot.py", "'bot.py' does not name an app. Write MODULE:APP, such as bot:app."),
        ("a bot", "'a bot' does not name an app. Write MODULE:APP, such as examples.signup:app."),
        ("nobot:app", "there is no module 'nobot'"),
        ("onebot.deep:app", "there is no module 'onebot.deep'"),
        ("onebot/__init__.py:app", "is a path. Name the module with dots instead: onebot:app"),
        ("./onebot.py:app", "is a path. Name the module with dots instead: onebot:app"),
        ("../onebot:app", "Go to the folder that holds the module"),
        ("/srv/onebot:app", "Go to the folder that holds the module"),
        ("..onebot:app", "'..onebot' is no module name"),
        ("onebot:ap", "the module 'onebot' has no 'ap'. Did you mean onebot:app?"),
        ("onebot:bot", "the module 'onebot' has no 'bot'. Did you mean onebot:app?"),
        ("onebot:notes", "onebot:notes is of type str, which is no App"),
    ],
)
def test_what_is_no_app_is_refused_with_a_sentence(run: Run, target: str, sentence: str) -> None:
    package("onebot")
    answer = run("check", target)
    assert answer.code == 1
    assert sentence in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ("import not_there_at_all", "needs the module 'not_there_at_all', which is not installed"),
        ("x = 1 / 0", "ZeroDivisionError: division by zero"),
        ("def x(:", "SyntaxError"),
        ("raise SystemExit(0)", "ended the program while it was imported (line 1 of"),
        (BOT.replace('into="city"', 'into="town"'), "town"),
    ],
)
def test_a_module_that_fails_while_it_is_imported_is_a_sentence(
    run: Run, source: str, sentence: str
) -> None:
    package("broken", source)
    answer = run("check", "broken:app")
    assert answer.code == 1
    assert sentence in answer.err
    assert "Traceback" not in answer.err


@pytest.mark.parametrize(
    "arguments", [("--debug", "check", "nobot:app"), ("check", "nobot:app", "--debug")]
)
def test_debug_lets_the_error_through(run: Run, arguments: tuple[str, ...]) -> None:
    with pytest.raises(LookupError, match="there is no module 'nobot'"):
        main(arguments)


def test_an_error_of_no_known_kind_is_a_sentence_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("onebot", BOT + "\ndef fail(self): raise RuntimeError('odd')\nApp.check = fail\n")
    from engine import App

    monkeypatch.setattr(App, "check", App.check)
    answer = run("check", "onebot:app")
    assert answer.code == 1
    assert "error: RuntimeError: odd. Run it again with --debug to see where." in answer.err


def test_check_says_that_an_app_has_no_flow(run: Run) -> None:
    package("bare", "from engine import App\nfrom flows import Router\napp = App(Router('bare'))\n")
    answer = run("check", "bare:app")
    assert (answer.code, answer.err) == (0, "")
    assert "The app has no flow." in answer.out


def test_check_says_that_an_app_has_plain_handlers_only(run: Run) -> None:
    app = "app = App(router)\n"
    handler = "@router.command('hi')\nasync def hi(ctx): ...\n"
    start = "from engine import App\nfrom flows import Router\nrouter = Router('plain')\n"
    package("plainbot", start + handler + app)
    answer = run("check", "plainbot:app")
    assert (answer.code, answer.err) == (0, "")
    assert "The app has no flow, only plain handlers." in answer.out


def test_a_file_that_hides_a_package_is_a_warning_and_no_traceback(run: Run) -> None:
    package("onebot")
    Path("storage.py").touch()
    answer = run("check", "onebot:app")
    assert answer.code == 0
    assert answer.err.startswith("warning: ")
    assert "storage.py hides Handrail's package 'storage'. Rename that file" in answer.err


def test_a_mistyped_variable_is_a_warning(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_TELEGRAM_TOKN", "123:abc")
    answer = run("chat", "nobot:app")
    assert "error: there is no module 'nobot'" in answer.err
    assert "TOKN" not in answer.err, "what matters comes first"
    package("onebot")
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "memory://")
    monkeypatch.setattr("engine.cli.running.run", lambda *_: None)
    told = "nothing reads the environment variable HANDRAIL_TELEGRAM_TOKN"
    assert run("chat", "onebot:app").err.startswith(f"warning: {told}")


def test_check_lists_the_flows(run: Run) -> None:
    package("onebot")
    answer = run("check", "onebot:app")
    assert answer.code == 0
    assert "signup" in answer.out
    assert "moving" in answer.out
    assert "No mistakes found." in answer.out


def test_check_lists_what_catalogues_lack(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "locales" / "de" / "LC_MESSAGES" / "messages.po"
    path.parent.mkdir(parents=True)
    path.write_text('msgid "Hello"\nmsgstr ""\n', encoding="utf-8")
    languages = f"Languages({str(tmp_path / 'locales')!r})"
    speaks = f"app = App(app.router, languages={languages})\n"
    package("onebot", f"{BOT}\nfrom engine.languages import Languages\n{speaks}")
    answer = run("check", "onebot:app", "--languages")
    assert answer.code == 1
    assert "de: 'Hello' has no translation" in answer.out


def test_check_says_that_an_app_has_no_languages(run: Run) -> None:
    package("onebot")
    answer = run("check", "onebot:app", "--languages")
    assert answer.code == 0
    assert "The app has no languages." in answer.out


def test_graph_draws_all_flows_as_text(run: Run) -> None:
    package("onebot")
    answer = run("graph", "onebot:app")
    assert "signup, version 1" in answer.out
    assert "moving, version 1" in answer.out


@pytest.mark.parametrize(("ending", "start"), [("mmd", "stateDiagram-v2"), ("dot", "digraph")])
def test_graph_writes_what_the_ending_of_the_file_says(run: Run, ending: str, start: str) -> None:
    package("onebot")
    answer = run("graph", "onebot:app", "signup", "--output", f"picture.{ending}")
    assert answer == Answer(0, f"Written to picture.{ending}.\n", "")
    assert Path(f"picture.{ending}").read_text().startswith(start)


def test_graph_of_an_unknown_flow_names_the_near_one(run: Run) -> None:
    package("onebot")
    assert "Did you mean 'signup'?" in run("graph", "onebot:app", "singup").err


def test_graph_says_what_svg_needs_where_graphviz_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("onebot")
    monkeypatch.setattr(shutil, "which", lambda _: None)
    answer = run("graph", "onebot:app", "signup", "--format", "svg")
    assert answer.code == 1
    assert "Install Graphviz" in answer.err


def test_graph_makes_svg_with_the_dot_program(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    package("onebot")
    program = Path("dot").absolute()
    program.write_text('#!/bin/sh\necho "<svg>$1"\ncat\n')
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    answer = run("graph", "onebot:app", "signup", "--format", "svg")
    assert answer.out.startswith('<svg>-Tsvg\ndigraph "signup" {')


def test_graph_says_why_dot_failed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    package("onebot")
    program = Path("dot").absolute()
    program.write_text("#!/bin/sh\necho 'no fonts' >&2\nexit 3\n")
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))
    answer = run("graph", "onebot:app", "signup", "--format", "svg")
    assert answer.code == 1
    assert "dot failed with exit code 3: no fonts" in answer.err


def test_transcripts_are_found_played_and_counted(run: Run) -> None:
    package("bots/goodbot", transcript="> /start\n< your name\n")
    package("bots/badbot", transcript="> /start\n< your name\n> Ada\n< Which planet\n")
    answer = run("test")
    assert answer.code == 1
    assert "PASS  bots/goodbot/transcript.txt" in answer.out
    assert "FAIL  bots/badbot/transcript.txt, line 4: expected 'Which planet'" in answer.out
    assert "| Which city?" in answer.out
    assert answer.out.splitlines()[-1] == "1 passed, 1 failed"


def test_a_transcript_can_be_played_to_an_app_that_is_named(run: Run) -> None:
    package("onebot")
    Path("talk.txt").write_text("> /move\n< your name\n")
    answer = run("test", "talk.txt", "onebot:app")
    assert answer == Answer(0, "PASS  talk.txt\n1 passed, 0 failed\n", "")


def test_a_transcript_that_cannot_be_read_fails_with_its_line(run: Run) -> None:
    package("onebot", transcript="> hi\nhello\n")
    answer = run("test", "onebot")
    assert answer.code == 1
    assert "line 2: a line starts with" in answer.out
    assert "0 passed, 1 failed" in answer.out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nowhere",), "there is no file or folder nowhere"),
        ((), "there is no transcript*.txt in ."),
        (("onebot:app",), "its transcript goes in front of it"),
    ],
)
def test_no_transcript_at_all_is_an_error(
    run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    answer = run("test", *arguments)
    assert answer.code == 1
    assert sentence in answer.err


def test_the_database_is_made_and_its_schema_shown(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "sqlite+aiosqlite:///bot.db")
    assert "no tables of Handrail yet" in run("db", "current").out
    assert "the schema of this version" in run("db", "upgrade").out
    assert Path("bot.db").exists()
    assert "the schema of this version" in run("db", "current").out


def test_memory_has_no_schema(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HANDRAIL_DATABASE_URL", "memory://")
    answer = run("db", "upgrade")
    assert answer.code == 1
    assert "no schema" in answer.err


def test_new_makes_a_bot_that_passes_its_own_transcript(run: Run) -> None:
    assert run("new", "pizza_bot").code == 0
    assert run("check", "pizza_bot:app").code == 0
    assert run("test", "pizza_bot").out.splitlines()[-1] == "1 passed, 0 failed"


def test_a_new_bot_is_under_forty_lines_and_says_how_to_run_it(run: Run) -> None:
    run("new", "pizza_bot")
    assert len(Path("pizza_bot/__init__.py").read_text().splitlines()) < 40
    assert "handrail run pizza_bot:app" in Path("pizza_bot/README.md").read_text()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("9lives", "cannot be imported"),
        ("pizza-bot", "begin with a letter: pizza_bot, say."),
        ("../away", "cannot be imported"),
        ("", "cannot be imported"),
        ("class", "a word of Python itself"),
        ("Flows", "would hide Handrail's own package"),
        ("storage", "would hide Handrail's own package"),
        ("json", "would hide the installed module"),
        ("rich", "would hide the installed module"),
        ("taken", "exists already"),
        ("mybot", "would hide the file mybot.py beside it"),
    ],
)
def test_new_refuses_a_name_that_cannot_work(run: Run, name: str, sentence: str) -> None:
    Path("taken").mkdir()
    Path("mybot.py").touch()
    answer = run("new", name)
    assert answer.code == 1
    assert sentence in answer.err
    assert sorted(path.name for path in Path().iterdir()) == ["mybot.py", "taken"]


# --- explore ----------------------------------------------------------------------------


def test_an_exploration_that_finds_nothing_says_what_it_saw(run: Run) -> None:
    package("quiet")
    answer = run("explore", "quiet:app", "--turns", "80", "--seed", "1")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.splitlines() == [
        "80 turns with seed 1: nothing was found",
        "flow signup: 2 of 2 steps reached",
        "flow moving: 2 of 2 steps reached",
    ]


def test_an_exploration_that_finds_something_fails_and_shows_the_way_there(run: Run) -> None:
    source = BOT.replace('flow.ask(Step.CITY, "Which city?", Text(), into="city")', BROKEN_STEP)
    assert source != BOT
    package("loud", source)
    answer = run("explore", "loud:app", "--turns", "60")
    assert (answer.code, answer.err) == (1, "")
    assert "crash at turn " in answer.out
    assert "ZeroDivisionError: division by zero" in answer.out
    assert "  never entered: CITY\n" in answer.out
    assert "  > /start\n" in answer.out


def test_an_exploration_needs_turns(run: Run) -> None:
    package("quiet2")
    answer = run("explore", "quiet2:app", "--turns", "0")
    assert answer.code == 2
    assert "--turns" in answer.err
