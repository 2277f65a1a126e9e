"""What users may import, and what happens when a file of theirs hides it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

import engine
import engine.testing
import flows
import storage

FLOWS = """
    END Action Address Album AlbumMessage AmbiguousNext Animation AnimationMessage Answers AnyOf
    AskTimeout Audio AudioMessage BadAddress Bot Button CallError CallLater CallNext CallRefused
    CallUncertain CannotAsk Channel ChannelPost ChatMember ChildCancelled Choice
    ChosenInlineResult Clock Command ConcurrentAsk Confirm Contact ContactCard ContactMessage
    Context Continue ConversationKey Customer Date Dedup DeepLink DefinitionError Dice
    DiceMessage DiceThrow Document DocumentMessage DownloadFailed Edited EditedChannelPost
    EditedMessage Email FileRef FileTooLarge Flow FlowBuilder FlowInstance FlowRegistry
    FlowStorage ForceReply FormBuilder FormTexts FormTurn Formatted Fsm FsmState HandrailError
    InlineQuery Input InputFile Integer InvalidAnswer InvalidData InvalidStateData Invoice
    JoinRequest Key LinkPreview Location LocationMessage Media Membership Message
    MessageReaction MessageReactionCount MultiChoice MyChatMember NoApi NoState
    NondeterministicStep NotRunning NotWaiting Number OnAnswer OnAny OnAnyText OnAudio
    OnCallback OnCommand OnDeepLink OnDocument OnFiltered OnHears OnKind OnMessage OnPhoto
    OnText OnVideo OnVoice Opened OperationError Other Pattern PayloadRefused Payment
    PaymentMessage Person Phone Photo PhotoMessage Photos Place Poll PollAnswer PollInfo
    PollMessage PollQuestion PollState PostalAddress PreCheckoutQuery PreContext Press Progress
    RateLimit ReactionCount Receipt Reminder RemoveKeyboard Reply ReplyKeyboard Roles Router
    SendOptions Sensitive SessionStorage Sessions ShippingQuery StartRefused Status StepError
    Sticker StickerInfo StickerMessage Stop Text TextMessage Time TooManyTries TransitionLoop
    Translatable Trigger Turn UnboundedPattern UndeclaredMove UnknownConversation
    UnknownDeadLetter UnknownFlow UnknownInstance UnknownLocale UnknownStep UnknownToken Update
    Url Video VideoMessage Voice VoiceMessage WebAppData WebAppMessage as_flow call_flow field
    filters form_flow gettext keyboard ngettext npgettext pgettext prompt reply_keyboard
    requires stay transition
"""
ENGINE = "App Deployment Notices Operator Settings serve serving"
STORAGE = "EncryptedStorage Keyring MemoryStorage RedisStorage SqlStorage open_storage"

MODULES = pytest.mark.parametrize(
    ("module", "names"), [(flows, FLOWS), (engine, ENGINE), (storage, STORAGE)]
)


@MODULES
def test_the_public_names_are_these_and_no_others(module: ModuleType, names: str) -> None:
    assert module.__all__ == names.split()


@pytest.mark.parametrize("module", [flows, engine, engine.testing, storage])
def test_the_public_names_are_sorted_and_there(module: ModuleType) -> None:
    assert module.__all__ == sorted(module.__all__, key=_constants_classes_functions)
    assert [name for name in module.__all__ if getattr(module, name, None) is None] == []


def _constants_classes_functions(name: str) -> tuple[bool, bool, str]:
    return (not name.isupper(), not name[0].isupper(), name)


@pytest.mark.parametrize("module", [flows, engine, storage])
def test_a_package_is_typed(module: ModuleType) -> None:
    assert module.__file__ is not None
    assert Path(module.__file__).with_name("py.typed").is_file()


# --- files with reserved names ----------------------------------------------------------


def run(folder: Path, program: str, *, hidden_by: str) -> subprocess.CompletedProcess[str]:
    """Runs a script in a folder in which another file bears a reserved name."""
    (folder / hidden_by).write_text("mine = True\n", encoding="utf-8")
    script = folder / "bot.py"
    script.write_text(program, encoding="utf-8")
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", ["engine", "storage"])
def test_a_file_that_hides_a_package_is_named_in_a_warning(tmp_path: Path, name: str) -> None:
    done = run(tmp_path, "import flows\nprint('went on')\n", hidden_by=f"{name}.py")
    assert done.stdout == "went on\n"
    assert (
        f"{tmp_path / name}.py hides Handrail's package {name!r}. Rename that file" in done.stderr
    )
    assert "the names flows, engine and storage are reserved" in done.stderr


def test_a_file_that_hides_flows_is_named_when_the_engine_is_imported(tmp_path: Path) -> None:
    done = run(tmp_path, "import engine\n", hidden_by="flows.py")
    assert done.returncode == 1
    assert f"{tmp_path / 'flows.py'} hides Handrail's package 'flows'. Rename" in done.stderr


def test_a_folder_that_hides_a_package_is_named_too(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    done = run(tmp_path, "import flows\n", hidden_by="storage/__init__.py")
    assert f"{tmp_path / 'storage' / '__init__.py'} hides Handrail's package" in done.stderr


def test_a_package_that_is_hidden_after_the_import_can_be_found_out(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "here = sys.path.pop(0)\n"
        "import flows\n"
        "sys.path.insert(0, here)\n"
        "print('so far nothing', flush=True)\n"
        "flows.warn_of_hidden_packages()\n"
    )
    done = run(tmp_path, program, hidden_by="storage.py")
    assert done.stdout == "so far nothing\n"
    assert "storage.py hides Handrail's package 'storage'" in done.stderr


def test_nothing_is_said_where_nothing_is_hidden(tmp_path: Path) -> None:
    done = run(tmp_path, "import engine, flows, storage\n", hidden_by="my_flows.py")
    assert (done.returncode, done.stderr) == (0, "")
