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
    fact = {word: key, "jobs": left.items, "others": left.others}
    fact |= {"datasets": left.datasets, "otherDatasets": left.other_datasets}
    say_done(word, fact, as_json=as_json)
    if not as_json and (told := _sentence(left)):
        note(told)


def _sentence(users: JobUsers) -> str:
    """`2 jobs work with it and fail from then on: Sync orders, Rebuild`; empty where nobody does."""
    verbs = ("works with it and fails", "work with it and fail")
    jobs = _clause("job", [job.name for job in users.items], users.others, *verbs)
    verbs = ("reads from it and gets no more rows", "read from it and get no more rows")
    datasets = _clause("dataset", [one.name for one in users.datasets], users.other_datasets, *verbs)
    return "; ".join(filter(None, (jobs, datasets)))


def _clause(noun: str, names: list[str], others: int, does: str, do: str) -> str:
    number = len(names) + others
    if not number:
        return ""
    words = names[:_NAMED]
    if more := len(names) - len(words):
        words.append(f"{count(more)} more")
    if others:
        words.append(f"{count(others)} that you may not see")
    return f"{count(number, noun)} {does if number == 1 else do} from then on: {', '.join(words)}"
