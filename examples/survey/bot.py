"""The bot around the survey."""

from __future__ import annotations

from engine import App
from examples.survey.form import survey
from examples.survey.results import Results
from flows import Context, FlowRegistry, OnCommand, Router

registry = FlowRegistry()
registry.register(OnCommand("survey"), survey)
registry.help_command("help")
registry.back_command("back")
registry.cancel_command("cancel")

router = Router("survey-bot")
registry.apply_to_router(router)


@router.command("results", "what people say so far")
async def results(ctx: Context[None, Results]) -> None:
    """A plain handler; in the middle of a survey it answers, too, and the survey stays."""
    ctx.reply(await ctx.deps.shown())


answers = Results()
app = App(router, deps=answers, lifespan=answers.opened)
