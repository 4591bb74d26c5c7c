"""What is left without something that is removed, told before and after."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from console.cli.administering import administer
from console.cli.calling import confirm
from console.cli.output import note, say_done
from console.client import AgentClient
from console.render.amounts import count
from shared.models import JobUsers

_NAMED = 5


def remove(
    key: str,
    ask: str,
    users: Callable[[AgentClient], Awaitable[JobUsers]],
    delete: Callable[[AgentClient], Awaitable[None]],
    *,
    word: str = "removed",
    yes: bool,
    as_json: bool,
) -> None:
    """Ask, unless `yes`, and do it. Whose jobs fail from then on is looked up again right before: a question may stand long."""
    if not yes:
        told = _sentence(administer(users))
        confirm(f"{told}. {ask}" if told else ask, yes=False)

    async def work(client: AgentClient) -> JobUsers:
        found = await users(client)
        await delete(client)
        return found

    left = administer(work)
    say_done(word, {word: key, "jobs": left.items, "others": left.others}, as_json=as_json)
    if not as_json and (told := _sentence(left)):
        note(told)


def _sentence(users: JobUsers) -> str:
    """`2 jobs work with it and fail from then on: Sync orders, Rebuild`; empty where nobody does."""
    number = len(users.items) + users.others
    if not number:
        return ""
    words = [job.name for job in users.items[:_NAMED]]
    if more := len(users.items) - len(words):
        words.append(f"{count(more)} more")
    if users.others:
        words.append(f"{count(users.others)} that you may not see")
    verbs = "works with it and fails" if number == 1 else "work with it and fail"
    return f"{count(number, 'job')} {verbs} from then on: {', '.join(words)}"
