"""Spans: how they hang together, and what they hold."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from engine import App
from engine.telemetry.otel import Conversations, OpenTelemetry
from engine.testing import Chat, CrashPoint
from flows import Action, FlowBuilder, Text, Turn
from storage import MemoryStorage
from tests.support import Names, Three, app_of

pytestmark = pytest.mark.anyio


class Traced:
    """A bot whose spans are kept."""

    def __init__(self, conversations: Conversations = "none") -> None:
        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider()
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        observer = OpenTelemetry(self.provider, conversations=conversations)
        self.app = self._app(observer)

    def _app(self, observer: OpenTelemetry) -> App:
        flow = FlowBuilder("talk", Three, Names)
        tracer = self.provider.get_tracer("mine")

        @flow.step(Three.FIRST)
        async def first(turn: Turn[Three, Names]) -> Action[Three]:
            with tracer.start_as_current_span("mine"):
                turn.reply("Hello.")
            return turn.next()

        @flow.step(Three.SECOND)
        async def second(turn: Turn[Three, Names]) -> Action[Three]:
            said = await turn.ask("Go on.", Text())
            raise LookupError(f"no luck with {said}")

        flow.say(Three.THIRD, "Done.")
        return app_of(flow.build(initial=Three.FIRST), observers=[observer])

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


def attributes(span: ReadableSpan) -> dict[str, object]:
    return {name.removeprefix("handrail."): it for name, it in (span.attributes or {}).items()}


def context(span: ReadableSpan) -> trace.SpanContext:
    found: trace.SpanContext | None = span.context
    assert found is not None
    return found


async def test_a_turn_is_one_trace_linked_to_the_page_that_brought_it() -> None:
    traced = Traced()
    async with Chat(traced.app) as chat:
        await chat.say("/start")
    turn, accept = traced.one("handrail.turn"), traced.one("handrail.accept")
    assert turn.parent is None
    assert [link.context.span_id for link in turn.links] == [context(accept).span_id]
    beneath = [
        *traced.named("handrail.step"), traced.one("handrail.commit"),
        *traced.named("handrail.send"),
    ]  # fmt: skip
    assert len(beneath) == 5
    assert {span.parent and span.parent.span_id for span in beneath} == {context(turn).span_id}
    assert {attributes(span)["turn"] for span in [turn, *beneath]} == {1}
    assert attributes(accept)["turns"] == (1,)


async def test_spans_name_flow_step_and_instance_and_how_it_went() -> None:
    traced = Traced()
    async with Chat(traced.app) as chat:
        await chat.say("/start")
    first, second = traced.named("handrail.step")
    told = {"flow": "talk", "instance": "1-0", "turn": 1}
    assert attributes(first) == {**told, "step": "FIRST", "outcome": "decided"}
    assert attributes(second) == {**told, "step": "SECOND", "outcome": "asked"}
    assert attributes(traced.one("handrail.turn"))["outcome"] == "done"


async def test_a_span_of_a_handler_lies_beneath_that_of_its_step() -> None:
    traced = Traced()
    async with Chat(traced.app) as chat:
        await chat.say("/start")
    mine, step = traced.one("mine"), traced.named("handrail.step")[0]
    assert mine.parent is not None
    assert mine.parent.span_id == context(step).span_id


async def test_a_failure_is_told_by_its_type_and_not_by_its_text() -> None:
    traced = Traced()
    async with Chat(traced.app) as chat:
        await chat.say("/start")
        traced.exporter.clear()
        await chat.say("canary")
    step, turn = traced.one("handrail.step"), traced.one("handrail.turn")
    assert attributes(step)["error.type"] == "LookupError"
    assert attributes(turn)["outcome"] == "failed"
    assert not step.status.is_ok
    assert not turn.status.is_ok
    assert "canary" not in "".join(span.to_json() for span in traced.exporter.get_finished_spans())


@pytest.mark.parametrize("form", ["none", "hashed", "plain"])
async def test_a_conversation_is_named_only_as_it_is_wished(form: Conversations) -> None:
    traced = Traced(form)
    async with Chat(traced.app) as chat:
        await chat.say("/start", by="424242")
        await chat.say("/start", by="5")
    spans = traced.exporter.get_finished_spans()
    named = {attributes(span).get("conversation") for span in traced.named("handrail.turn")}
    assert ("424242" in "".join(span.to_json() for span in spans)) is (form == "plain")
    assert named == {None} if form == "none" else len(named) == 2


async def test_a_turn_that_another_process_accepted_has_its_number_and_no_link() -> None:
    traced = Traced()
    storage = MemoryStorage()
    async with Chat(traced.app, storage=storage) as chat:
        chat.crash_at(CrashPoint("accept", after=True))
        await chat.say("/start")
        await chat.restart()
    (turn,) = traced.named("handrail.turn")
    assert turn.links == ()
    assert attributes(turn)["turn"] == 1
    assert attributes(turn)["tries"] == 1


async def test_no_span_is_current_after_a_turn() -> None:
    traced = Traced()
    async with Chat(traced.app) as chat:
        await chat.say("/start")
        assert not trace.get_current_span().get_span_context().is_valid
