"""The reference: which public names stand on which page, in which order.

The text is that of the docstrings; ``mkdocstrings`` puts it where a line of ``:::`` names an
object. A test compares what is named here with what the packages export.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Section:
    """Public objects that belong together.

    Attributes:
        title: the heading above them.
        package: where they are imported from.
        names: the objects, in the order in which a reader wants them. Empty: the package as a
            whole, with its own docstring and all that it defines.
        given: the engine makes these objects, and their constructors are nobody else's business.
    """

    title: str
    package: str
    names: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True)
class ReferencePage:
    """A page of the reference.

    Attributes:
        name: its file, without the ending.
        title: its heading.
        about: what a reader finds there, and where the explanation is.
        sections: its objects.
    """

    name: str
    title: str
    about: str
    sections: tuple[Section, ...]


def reference_page(page: ReferencePage) -> str:
    """The Markdown of a page."""
    lines = [f"# {page.title}", "", page.about, ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        if section.names:
            lines += [f"`from {section.package} import ...`", ""]
        for name in section.names:
            hidden = {"merge_init_into_class": "false"} if section.given else {}
            lines += _shown(f"{section.package}.{name}", hidden)
        if not section.names:
            lines += _shown(section.package, _WHOLE)
    return "\n".join(lines)


_WHOLE = {"show_root_heading": "false", "show_root_toc_entry": "false"}


def _shown(name: str, options: Mapping[str, str]) -> list[str]:
    """The lines that put the docstrings of an object in their place."""
    told = (f"      {option}: {value}" for option, value in options.items())
    return [f"::: {name}", "    options:", "      heading_level: 3", *told, ""]


def overview() -> str:
    """The first page: which page has what."""
    rows = [f"| [{page.title}]({page.name}.md) | {_names(page)} |" for page in PAGES]
    return "\n".join(
        [
            "# Reference",
            "",
            "What can be imported, from the docstrings. [Commands](commands.md) and "
            "[settings](settings.md) have pages of their own.",
            "",
            "`flows` is what a bot is written with, `engine` runs it, and `storage` keeps it. "
            "What is not on these pages, or begins with `_`, may change at any time.",
            "",
            "| page | what is on it |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def _names(page: ReferencePage) -> str:
    """Some names of each section of a page."""
    return "; ".join(
        ", ".join(f"`{name}`" for name in section.names[:4]) + (", ..." * (len(section.names) > 4))
        if section.names
        else f"`{section.package}`"
        for section in page.sections
    )


PAGES = (
    ReferencePage(
        "builder",
        "Builder and flow",
        "How a flow is defined. [Concepts](../concepts.md) explains it, [forks](../forks.md) has "
        "branches and called flows.",
        (
            Section("Building", "flows", ("FlowBuilder", "Flow", "END", "Reminder", "Sensitive")),
            Section("Flows made of flows", "flows.compose", ("sequence", "choose", "together")),
            Section("What is stored of a run", "flows", ("FlowInstance", "Status")),
        ),
    ),
    ReferencePage(
        "turn",
        "Turn and actions",
        "What a step's handler is given, and what it may decide. "
        "[Concepts](../concepts.md#flow-step-action) has the actions in a table.",
        (
            Section("In a step", "flows", ("Turn", "Action", "Progress", "prompt"), given=True),
            Section("In a plain handler", "flows", ("Context", "call_flow", "as_flow"), given=True),
            Section("Calling the service", "flows", ("Bot",), given=True),
        ),
    ),
    ReferencePage(
        "inputs",
        "Inputs",
        "What a question takes. [Inputs](../inputs.md) explains the options that they share.",
        (
            Section("All inputs", "flows", ("Input", "AnyOf", "field")),
            Section(
                "Written",
                "flows",
                (
                    "Text", "Pattern", "Integer", "Number", "Email", "Phone", "Url", "Date", "Time",
                ),
            ),
            Section("Chosen", "flows", ("Choice", "MultiChoice", "Confirm")),
            Section(
                "Sent",
                "flows",
                (
                    "Photo", "Photos", "Document", "Voice", "Audio", "Video", "Animation",
                    "Sticker", "Location", "Contact", "DiceThrow", "Poll", "Payment",
                    "WebAppData", "Edited",
                ),
            ),
        ),
    ),
    ReferencePage(
        "replies",
        "Replies and keyboards",
        "What goes out. [Messages](../messages.md) explains it.",
        (
            Section("Messages", "flows", ("Reply", "Message", "SendOptions", "LinkPreview")),
            Section(
                "Attachments",
                "flows",
                ("Media", "Album", "InputFile", "PollQuestion", "Dice", "Invoice"),
            ),
            Section(
                "Keyboards",
                "flows",
                (
                    "Button", "keyboard", "Key", "ReplyKeyboard", "reply_keyboard",
                    "RemoveKeyboard", "ForceReply",
                ),
            ),
            Section("Formatting", "flows", ("Formatted",)),
            Section("Styles", "flows.formatting"),
        ),
    ),
    ReferencePage(
        "registry",
        "Registry and triggers",
        "What starts a flow. [The router](../router.md#flows-that-start-otherwise) explains it.",
        (
            Section("Registry", "flows", ("FlowRegistry", "Trigger")),
            Section(
                "Triggers",
                "flows",
                (
                    "OnCommand", "OnText", "OnHears", "OnAnyText", "OnCallback", "OnDeepLink",
                    "OnKind", "OnMessage", "OnPhoto", "OnVideo", "OnVoice", "OnAudio",
                    "OnDocument", "OnAny", "OnFiltered", "OnAnswer",
                ),
            ),
            Section("Deep links", "flows", ("DeepLink",)),
        ),
    ),
    ReferencePage(
        "router",
        "Router and frame",
        "Handlers without a flow and what stands around them: [router](../router.md), "
        "[frame](../frame.md), [states](../fsm.md).",
        (
            Section("Router", "flows", ("Router", "CallNext")),
            Section("Filters", "flows.filters"),
            Section(
                "Pre-handlers", "flows", ("Continue", "Stop", "Dedup", "RateLimit")
            ),
            Section("In a pre-handler", "flows", ("PreContext",), given=True),
            Section("Roles", "flows", ("Roles", "requires")),
            Section("Sessions", "flows", ("Sessions", "SessionStorage")),
            Section(
                "States",
                "flows",
                ("Fsm", "FsmState", "transition", "stay", "NoState", "InvalidStateData"),
            ),
        ),
    ),
    ReferencePage(
        "forms",
        "Forms",
        "A pydantic model becomes questions: [forms](../forms.md).",
        (
            Section(
                "Forms", "flows", ("form_flow", "FormBuilder", "FormTurn", "FormTexts", "Answers")
            ),
        ),
    ),
    ReferencePage(
        "updates",
        "Updates",
        "What comes in. [Updates](../updates.md) says which kinds there are and who gets them.",
        (
            Section("An update", "flows", ("Update", "Person", "Address", "ConversationKey")),
            Section(
                "Messages",
                "flows",
                (
                    "TextMessage", "Command", "Press", "PhotoMessage", "AlbumMessage",
                    "DocumentMessage", "VoiceMessage", "AudioMessage", "VideoMessage",
                    "AnimationMessage", "StickerMessage", "LocationMessage", "ContactMessage",
                    "DiceMessage", "PollMessage", "PaymentMessage", "WebAppMessage",
                    "EditedMessage", "ChannelPost", "EditedChannelPost", "Other",
                ),
            ),
            Section(
                "Everything else",
                "flows",
                (
                    "PollAnswer", "PollState", "InlineQuery", "ChosenInlineResult",
                    "ShippingQuery", "PreCheckoutQuery", "MyChatMember", "ChatMember",
                    "JoinRequest", "MessageReaction", "MessageReactionCount", "Opened",
                ),
            ),
            Section(
                "What they hold",
                "flows",
                (
                    "FileRef", "StickerInfo", "Place", "ContactCard", "PollInfo", "Receipt",
                    "Customer", "PostalAddress", "Membership", "ReactionCount",
                ),
            ),
        ),
    ),
    ReferencePage(
        "app",
        "App and running",
        "A bot, how it runs, and how it is looked after: [running](../running.md), "
        "[operating](../operating.md).",
        (
            Section("App", "engine", ("App", "Notices", "Settings")),
            Section("Serving", "engine", ("serve", "serving", "Deployment")),
            Section("Operating", "engine", ("Operator",), given=True),
            Section(
                "What an operator is answered",
                "engine.operate",
                (
                    "Receipt", "InstancePage", "InstanceView", "DeadLetterPage", "DeadLetterRow",
                    "Erased", "AuditEntry", "AuditPage", "Traffic",
                ),
            ),
            Section(
                "Broadcasts", "engine.operate", ("Broadcasts", "BroadcastView"), given=True
            ),
            Section("Inspector", "engine.inspector", ("Inspector", "Role", "Visitor")),
        ),
    ),
    ReferencePage(
        "languages",
        "Languages",
        "Texts in the language of each person: [languages](../languages.md).",
        (
            Section(
                "Texts", "flows", ("gettext", "ngettext", "pgettext", "npgettext", "Translatable")
            ),
            Section("Catalogues", "engine.languages", ("Languages", "BadCatalogue")),
        ),
    ),
    ReferencePage(
        "observability",
        "Observability",
        "Logs, metrics, spans and health checks: [observability](../observability.md).",
        (
            Section("Logs", "engine.telemetry", ("TurnIds", "TextLines", "JsonLines")),
            Section("Metrics", "engine.telemetry.prometheus", ("PrometheusMetrics",)),
            Section("Health checks", "engine.telemetry.monitor", ("Monitor",)),
            Section("Spans", "engine.telemetry.otel", ("OpenTelemetry",)),
            Section("An observer of your own", "engine.telemetry", ("Observer",)),
            Section(
                "What an observer is told",
                "engine.telemetry",
                (
                    "Accepted", "TurnBegun", "TurnEnded", "StepBegun", "StepEnded",
                    "CommitEnded", "SendBegun", "SendEnded",
                ),
                given=True,
            ),
        ),
    ),
    ReferencePage(
        "channels",
        "Channels and adapters",
        "Where people talk: [Telegram](../telegram.md), [webhook](../webhook.md), "
        "[web chat](../web.md), "
        "[bots of other libraries](../adapters.md).",
        (
            Section("Telegram", "engine.channels.telegram", ("TelegramChannel", "Webhook")),
            Section("Web chat", "engine.channels.web", ("WebChannel", "WebLimits", "WebPerson")),
            Section("Terminal", "engine.channels.console", ("ConsoleChannel",)),
            Section("aiogram", "engine.adapters.aiogram", ("AiogramFlows",)),
            Section(
                "python-telegram-bot", "engine.adapters.python_telegram_bot", ("PtbFlows",)
            ),
        ),
    ),
    ReferencePage(
        "testing",
        "Testing toolkit",
        "People, time and crashes in a test: [testing](../testing.md).",
        (
            Section(
                "Talking",
                "engine.testing",
                (
                    "Chat", "TestChannel", "VirtualClock", "ApiDouble", "Unexpected",
                    "NoSuchButton", "NothingToRepeat", "TimeIsReal",
                ),
            ),
            Section("Crashes", "engine.testing", ("CrashPoint", "Faults")),
            Section(
                "Transcripts",
                "engine.testing",
                (
                    "play", "parse_transcript", "read_transcript", "Transcript",
                    "TranscriptError", "TranscriptMismatch",
                ),
            ),
            Section(
                "Explorer", "engine.testing", ("explore", "Exploration", "Coverage", "Finding")
            ),
        ),
    ),
    ReferencePage(
        "storages",
        "Storages",
        "Where conversations are kept: [storage](../storage.md), [privacy](../privacy.md).",
        (
            Section(
                "Storages",
                "storage",
                (
                    "open_storage", "MemoryStorage", "SqlStorage", "RedisStorage",
                    "EncryptedStorage", "Keyring",
                ),
            ),
        ),
    ),
    ReferencePage(
        "ports",
        "Ports",
        "What a storage, a channel and a clock of your own have to do. Their docstrings are the "
        "obligations, and [the contract suite](contract.md) checks them.",
        (
            Section("The ports", "flows.ports", ("FlowStorage", "Channel", "Clock")),
            Section(
                "What a channel handles",
                "flows.ports",
                ("Delivery", "Intake", "Pause", "KeepsRecords"),
            ),
            Section(
                "What a storage handles",
                "flows.ports",
                (
                    "Limits", "InboxRow", "PendingRow", "Snapshot", "TurnCommit", "Fence",
                    "ScopeWrite", "InstanceRow", "TimerRow", "TimerDrop", "TransitionRow",
                    "OutgoingRow", "OutboxRow", "SendResult", "Committed", "Outcome",
                    "Query", "Page", "DeadLetter", "Swept",
                    "Line", "LineRow", "AuditRow", "Tally", "ChatPage", "MessageName",
                ),
            ),
        ),
    ),
    ReferencePage(
        "contract",
        "Contract suite",
        "The tests that every storage passes, also one of yours: "
        "[a storage of your own](../storage.md#a-storage-of-your-own).",
        (
            Section(
                "The suite",
                "storage.testing",
                ("Backend", "Ability", "ManualClock", "Wire", "StorageContract"),
            ),
        ),
    ),
    ReferencePage(
        "errors",
        "Errors",
        "All that Handrail raises on purpose. What follows an error in a handler is told in "
        "[concepts](../concepts.md#errors).",
        (Section("The tree", "flows.errors"),),
    ),
)  # fmt: skip
