"""What is left without something that is removed, told before and after."""

from __future__ import annotations

from console.cli.output import note, say_done
from console.render.amounts import count
from shared.models import JobUsers

_NAMED = 5


def sentence(users: JobUsers) -> str:
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


def question(ask: str, users: JobUsers) -> str:
    told = sentence(users)
    return f"{told}. {ask}" if told else ask


def say_removed(key: str, users: JobUsers, *, as_json: bool) -> None:
    say_done("removed", {"removed": key, "jobs": users.items, "others": users.others}, as_json=as_json)
    if not as_json and (told := sentence(users)):
        note(told)
