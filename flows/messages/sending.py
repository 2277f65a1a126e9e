"""Sending messages: what a step's turn and the context of a plain handler have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Generic, TypedDict

from typing_extensions import TypeVar, Unpack

from flows.messages.attachments import Album, Attachment, Dice, Invoice, Media, PollQuestion
from flows.messages.input_file import FileSource
from flows.messages.keyboards import ForceReply, Keyboard, RemoveKeyboard, ReplyKeyboard, checked
from flows.messages.replies import Delete, Edit, LinkPreview, Message, Reply, Send, SendOptions
from flows.messages.texts import Format
from flows.updates import ContactMessage, LocationMessage, Place, Press, Update

Sent = TypeVar("Sent", default=None)

AnyKeyboard = Keyboard | ReplyKeyboard | RemoveKeyboard | ForceReply
"""Buttons under a message, or what becomes of the person's own keyboard."""


class How(TypedDict, total=False):
    """How a message is sent.

    Attributes:
        keyboard: buttons under it, or what becomes of the person's own keyboard.
        silent: without a sound.
        protect: it can be neither forwarded nor saved.
        reply_to: the message that it answers: a handle, or the channel's reference; it is sent
            all the same where that is gone.
        preview: what is shown of an address in the text; False: nothing.
    """

    keyboard: AnyKeyboard
    silent: bool
    protect: bool
    reply_to: Message | str
    preview: LinkPreview | bool


class Sending(Generic[Sent]):
    """Says things. Everything goes out once the turn is committed, in this order, and not at all
    where the turn fails. What no channel could send is refused with a DefinitionError.
    """

    __slots__ = ()

    def _send(self, send: Send) -> Sent:
        """Puts a message into the outbox, unless an earlier run has done so."""
        raise NotImplementedError

    def _cause(self) -> Update:
        """What came in and caused the turn."""
        raise NotImplementedError

    @property
    def message(self) -> Message | None:
        """The message that came in, or whose button was pressed; None where there is none."""
        update = self._cause()
        pressed = update.content.message if isinstance(update.content, Press) else None
        ref = pressed or update.message
        return None if ref is None else Message(ref=ref)

    # --- new messages -------------------------------------------------------------------

    def reply(
        self,
        text: str | Reply,
        *,
        format: Format = "plain",
        keyboard: AnyKeyboard = (),
        **how: Unpack[_Rest],
    ) -> Sent:
        """Sends a text. In a step, the answer is a handle for ``edit`` and ``delete``."""
        reply = text if isinstance(text, Reply) else Reply(text=text, format=format)
        if keyboard or how:
            reply = _sent_so(reply, {"keyboard": keyboard, **how})
        return self._send(reply)

    def reply_photo(
        self,
        file: FileSource,
        caption: str = "",
        *,
        format: Format = "plain",
        spoiler: bool = False,
        **how: Unpack[How],
    ) -> Sent:
        """Sends a photo, with a text under it; see ``InputFile.of`` for what ``file`` may be."""
        media = Media.of("photo", file, spoiler=spoiler)
        return self.reply_with(media, caption, format=format, **how)

    def reply_video(
        self,
        file: FileSource,
        caption: str = "",
        *,
        format: Format = "plain",
        spoiler: bool = False,
        **how: Unpack[How],
    ) -> Sent:
        """Sends a video."""
        media = Media.of("video", file, spoiler=spoiler)
        return self.reply_with(media, caption, format=format, **how)

    def reply_animation(
        self, file: FileSource, caption: str = "", *, format: Format = "plain", **how: Unpack[How]
    ) -> Sent:
        """Sends a GIF, or a video without sound."""
        return self.reply_with(Media.of("animation", file), caption, format=format, **how)

    def reply_audio(
        self, file: FileSource, caption: str = "", *, format: Format = "plain", **how: Unpack[How]
    ) -> Sent:
        """Sends a piece of music. ``reply_with(Media(...))`` names its title and performer."""
        return self.reply_with(Media.of("audio", file), caption, format=format, **how)

    def reply_voice(
        self, file: FileSource, caption: str = "", *, format: Format = "plain", **how: Unpack[How]
    ) -> Sent:
        """Sends something spoken: OGG with Opus, MP3 or M4A."""
        return self.reply_with(Media.of("voice", file), caption, format=format, **how)

    def reply_document(
        self,
        file: FileSource,
        caption: str = "",
        *,
        name: str = "",
        format: Format = "plain",
        **how: Unpack[How],
    ) -> Sent:
        """Sends a file as a file, under the name that it has or is given."""
        media = Media.of("document", file, name=name)
        return self.reply_with(media, caption, format=format, **how)

    def reply_sticker(self, file: FileSource, **how: Unpack[How]) -> Sent:
        """Sends a sticker."""
        return self.reply_with(Media.of("sticker", file), **how)

    def reply_album(self, media: Sequence[Media], **how: Unpack[How]) -> Sent:
        """Sends 2 to 10 files as one. An album has no keyboard."""
        return self.reply_with(Album(tuple(media)), **how)

    def reply_location(self, place: Place, **how: Unpack[How]) -> Sent:
        """Sends a place; one with a title is shown as a venue."""
        location = LocationMessage(
            latitude=place.latitude,
            longitude=place.longitude,
            accuracy=place.accuracy,
            title=place.title,
            address=place.address,
        )
        return self.reply_with(location, **how)

    def reply_contact(self, phone: str, name: str, **how: Unpack[How]) -> Sent:
        """Sends how somebody can be reached."""
        return self.reply_with(ContactMessage(phone=phone, name=name), **how)

    def reply_poll(self, poll: PollQuestion, **how: Unpack[How]) -> Sent:
        """Sends a poll."""
        return self.reply_with(poll, **how)

    def reply_dice(self, emoji: str = "🎲", **how: Unpack[How]) -> Sent:
        """Throws a die, or what else the emoji is."""
        return self.reply_with(Dice(emoji), **how)

    def reply_invoice(self, invoice: Invoice, **how: Unpack[How]) -> Sent:
        """Sends a bill."""
        return self.reply_with(invoice, **how)

    def reply_with(
        self,
        attachment: Attachment,
        caption: str = "",
        *,
        format: Format = "plain",
        **how: Unpack[How],
    ) -> Sent:
        """Sends anything that is no mere text; what can have a caption may have one."""
        return self._send(_sent_so(_bringing(attachment, caption, format), how))

    # --- earlier messages ---------------------------------------------------------------

    def edit(
        self,
        message: Message | str,
        text: str,
        *,
        format: Format = "plain",
        keyboard: Keyboard = (),
        preview: LinkPreview | bool | None = None,
    ) -> None:
        """Replaces the text (or caption) and the keyboard of a message of the bot.

        Args:
            message: a handle, or the channel's reference. Where it is not there any more, the
                text is sent anew.
        """
        self._send(
            Edit(
                slot=_slot(message),
                ref=_ref(message),
                text=text,
                format=format,
                keyboard=checked(keyboard),
                options=None if preview is None else SendOptions(preview=_preview(preview)),
            )
        )

    def edit_media(
        self,
        message: Message | str,
        media: Media,
        caption: str = "",
        *,
        format: Format = "plain",
        keyboard: Keyboard = (),
    ) -> None:
        """Puts another photo, video, animation, audio or document in place of the one there."""
        text, format = _caption(caption, format, media)
        self._send(
            Edit(
                slot=_slot(message),
                ref=_ref(message),
                text=text,
                format=format,
                keyboard=checked(keyboard),
                attachment=media,
            )
        )

    def edit_keyboard(self, message: Message | str, keyboard: Keyboard = ()) -> None:
        """Replaces the buttons under a message, or takes them away; its text stays."""
        self._send(
            Edit(
                slot=_slot(message),
                ref=_ref(message),
                keyboard=checked(keyboard),
                buttons_only=True,
            )
        )

    def delete(self, message: Message | str) -> None:
        """Takes a message away, if it is there. Most services allow that only for a while."""
        self._send(Delete(slot=_slot(message), ref=_ref(message)))


def prompt(
    text: str = "",
    *,
    attachment: Attachment | None = None,
    format: Format = "plain",
    **how: Unpack[How],
) -> Reply:
    """A message to ask with, for ``turn.ask`` and wherever else a text may be a ``Reply``."""
    return _sent_so(_bringing(attachment, text, format), how)


class _Rest(TypedDict, total=False):
    """``How`` without the keyboard."""

    silent: bool
    protect: bool
    reply_to: Message | str
    preview: LinkPreview | bool


def _bringing(attachment: Attachment | None, text: str, format: Format) -> Reply:
    text, format = _caption(text, format, attachment)
    return Reply(text=text, format=format, attachment=attachment)


def _caption(text: str, format: Format, attachment: Attachment | None) -> tuple[str, Format]:
    """The text of a message with a file, which its ``Media`` may bring as well."""
    if not text and isinstance(attachment, Media):
        return attachment.caption, attachment.format
    return text, format


def _sent_so(reply: Reply, how: How) -> Reply:
    keyboard = how.get("keyboard", ())
    if isinstance(keyboard, ReplyKeyboard | RemoveKeyboard | ForceReply):
        markup = keyboard
    else:
        reply = replace(reply, keyboard=checked(keyboard)) if keyboard else reply
        markup = None
    options = reply.options or SendOptions()
    options = SendOptions(
        silent=how.get("silent", options.silent),
        protect=how.get("protect", options.protect),
        reply_to=_handle(how["reply_to"]) if "reply_to" in how else options.reply_to,
        preview=_preview(how["preview"]) if "preview" in how else options.preview,
        markup=markup or options.markup,
    )
    return replace(reply, options=options) if options != SendOptions() else reply


def _preview(preview: LinkPreview | bool) -> LinkPreview:
    return LinkPreview(disabled=not preview) if isinstance(preview, bool) else preview


def _handle(message: Message | str) -> Message:
    return message if isinstance(message, Message) else Message(ref=message)


def _slot(message: Message | str) -> str:
    return message.slot if isinstance(message, Message) else ""


def _ref(message: Message | str) -> str | None:
    return message.ref if isinstance(message, Message) else message
