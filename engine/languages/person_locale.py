"""In which language the person of a turn is spoken to, and how that is remembered."""

from __future__ import annotations

from engine.languages.languages import Languages
from engine.languages.words import Words
from engine.state.conversation import Conversation
from engine.turns.conversations import Conversations
from engine.turns.scopes import scope_key
from flows.updates import Update


class PersonLocale:
    """A ``flows.messages.speaking.Speaker``: it looks at the conversation, so that what is taken
    back there is taken back here.

    What a person's app says of their language is kept with the conversation, for the turns that
    nobody has caused, such as reminders.

    Attributes:
        is_another: another locale was chosen in this turn.
    """

    def __init__(self, languages: Languages, conversations: Conversations, update: Update) -> None:
        self._languages = languages
        self._conversations = conversations
        self._home = _home(languages, conversations, update)
        told = update.user.language if update.user is not None else ""
        self.is_another = False
        known = self._home.language or conversations.own.language
        self._home.language = self._language = told or known or languages.default

    @property
    def translator(self) -> Words:
        """The words of the locale that the person is spoken to in now. A locale that was chosen
        and is there no more counts as a language.
        """
        return self._languages.words(self._languages.nearest(self._home.locale or self._language))

    def choose(self, locale: str | None) -> None:
        """Speaks to them in this locale from now on; None: in that of their app again.

        Raises:
            UnknownLocale: it is none of those that there are.
        """
        before = self.translator.locale
        self._home.locale = None if locale is None else self._languages.known(locale)
        self.is_another = self.is_another or self.translator.locale != before

    def keep(self) -> None:
        """Remembers it where something runs whose reminders may find it nowhere else."""
        conversations = self._conversations
        for conversation in conversations.by_key.values():
            reminds = conversation.stack or conversation is conversations.own
            if reminds and conversation is not self._home:
                conversation.language = self.translator.locale


def _home(languages: Languages, conversations: Conversations, update: Update) -> Conversation:
    """Where the locale of the person is kept."""
    if languages.key == "user":
        key = scope_key("user", update)
        if key is not None and key in conversations.by_key:
            return conversations.by_key[key]
    return conversations.own
