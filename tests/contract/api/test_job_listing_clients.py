"""Contract 003 by the clients that people have, unmodified: both list, turn pages, filter, and understand refusals."""

from __future__ import annotations

from pathlib import Path

from agent.core.driving import Needs
from shared.ids import new_id
from shared.models import KnowledgeBaseInput
from tests.contract.api.runs_made import RunMaker
from tests.harness.agent import RunningAgent
from tests.harness.clients import said_by

FIRST, SECOND = "vectara==0.0.5", "vectara==0.4.3"
MANY = 250

_ASK_FIRST = """
    from vectara import Vectara

    def every(**filters):
        page = V.list_jobs(numResults=100, **filters)
        found, pages = [], 0
        while True:
            found += page["job"]
            pages += 1
            if not page["pageKey"]:
                return {"ids": [job["id"] for job in found], "pages": pages}
            page = V.list_jobs(pageKey=page["pageKey"])

    V = Vectara(base_url=url, customer_id="default", api_key=token)
    completed = V.list_jobs(states=["COMPLETED"])
    wrong = Vectara(base_url=url, customer_id="default", api_key="jd_wrong")
    may_not = Vectara(base_url=url, customer_id="default", api_key=editor)
    say({
        "waiting": every(),
        "failed": every(states=["FAILED", "ABORTED"]),
        "of_corpus": every(corpus_ids=[corpus], states=["QUEUED", "COMPLETED"]),
        "of_no_corpus": every(corpus_ids=[corpus + 1]),
        "by_id": every(jobID=completed["job"][0]["id"], states=["COMPLETED"]),
        "completed": completed,
        "wrong": wrong.list_jobs(),
        "may_not": may_not.list_jobs(),
        "forged": V.list_jobs(pageKey="AAAA"),
    })
"""

_ASK_SECOND = """
    import datetime
    from vectara import Vectara
    from vectara.core.api_error import ApiError
    from vectara.environment import VectaraEnvironment
    from vectara.errors import ForbiddenError, NotFoundError

    def made(key):
        return Vectara(api_key=key, environment=VectaraEnvironment(default=url, auth=url))

    def raised(act):
        try:
            act()
        except ApiError as error:
            return [type(error).__name__, error.status_code, str(error.body)]

    jobs = made(token).jobs
    everything = list(jobs.list(limit=100))
    [failed] = jobs.list(state="failed")
    say({
        "all": [job.id for job in everything],
        "pages": len(list(jobs.list(limit=100).iter_pages())),
        "of_corpus": [job.id for job in jobs.list(corpus_key=["orders_kb"], state=["queued", "completed"], limit=7)],
        "of_no_corpus": [job.id for job in jobs.list(corpus_key="nobody")],
        "young": [job.id for job in jobs.list(after=datetime.datetime(2100, 1, 1, tzinfo=datetime.timezone.utc))],
        "failed": failed.dict(),
        "one": jobs.get(failed.id).dict(),
        "states": sorted({job.state for job in everything}),
        "not_there": raised(lambda: jobs.get(nobody)),
        "may_not": raised(lambda: made(editor).jobs.list()),
        "may_not_get": raised(lambda: made(editor).jobs.get(failed.id)),
        "wrong_key": raised(lambda: made("jd_wrong").jobs.list()),
        "forged": raised(lambda: jobs.list(page_key="AAAA")),
        "kinds": [issubclass(ForbiddenError, ApiError), issubclass(NotFoundError, ApiError)],
    })
"""


async def world(agent: RunningAgent) -> tuple[int, dict[str, list[str]]]:
    """A corpus, a run in each end, and a few hundred that wait; ids newest first."""
    local, make = agent.core.gate.local(), RunMaker(agent)
    base = await agent.core.world.create_knowledge_base(local, KnowledgeBaseInput(name="orders_kb"))
    job = await make.job("A", "corpus-rebuild-vector-index", needs=Needs(knowledge_bases=("orders_kb",)))
    other = await make.job("B")
    ids = {state: [(await make.run(job, state, took=5)).id] for state in ("completed", "failed", "cancelled")}
    made = [await make.run(other if number % 2 else job) for number in range(MANY)]
    ids["waiting"] = [run.id for run in reversed(made)]
    ids["of_corpus"] = [run.id for run in reversed(made) if run.job_id == job.id] + ids["completed"]
    return base.number, ids


async def test_the_first_client(agent: RunningAgent, tmp_path: Path) -> None:
    corpus, ids = await world(agent)
    token, editor = await agent.token("read"), await agent.token("edit")
    said = await said_by(FIRST, _ASK_FIRST, tmp_path, url=agent.url, token=token, editor=editor, corpus=corpus)
    assert said["waiting"] == {"ids": ids["waiting"], "pages": 3}
    assert said["failed"]["ids"] == [*ids["cancelled"], *ids["failed"]]
    assert said["of_corpus"] == {"ids": ids["of_corpus"], "pages": 2}
    assert said["of_no_corpus"]["ids"] == []
    assert said["by_id"]["ids"] == ids["completed"]
    [job] = said["completed"]["job"]
    assert (job["type"], job["corpusId"], job["userHandle"]) == (
        "JOB__CORPUS_REBUILD_VECTOR_INDEX",
        [corpus],
        "operator",
    )
    assert int(job["tsComplete"]) - int(job["tsCreate"]) == 5
    refused = {name: said[name]["status"][0]["code"] for name in ("wrong", "may_not", "forged")}
    assert refused == {"wrong": "UNAUTHENTICATED", "may_not": "PERMISSION_DENIED", "forged": "INVALID_ARGUMENT"}


async def test_the_second_client(agent: RunningAgent, tmp_path: Path) -> None:
    _, ids = await world(agent)
    token, editor = await agent.token("read"), await agent.token("edit")
    nobody = new_id()
    said = await said_by(SECOND, _ASK_SECOND, tmp_path, url=agent.url, token=token, editor=editor, nobody=nobody)
    assert said["all"] == [*ids["waiting"], *ids["cancelled"], *ids["failed"], *ids["completed"]]
    assert said["pages"] == 3
    assert said["of_corpus"] == ids["of_corpus"]
    assert said["of_no_corpus"] == said["young"] == []
    assert said["states"] == ["aborted", "completed", "failed", "queued"]
    assert said["failed"] == said["one"]
    assert (said["failed"]["id"], said["failed"]["corpus_keys"]) == (ids["failed"][0], ["orders_kb"])
    assert said["failed"]["type"] == "rebuild_vector_index"
    assert said["failed"]["created_by_username"] == "operator"
    assert said["not_there"][:2] == ["NotFoundError", 404]
    assert nobody in said["not_there"][2]
    assert said["may_not"][:2] == said["may_not_get"][:2] == ["ForbiddenError", 403]
    assert "scope 'read'" in said["may_not"][2]
    assert said["wrong_key"][:2] == ["ApiError", 401]
    assert said["forged"][:2] == ["ApiError", 400]
    assert said["kinds"] == [True, True]
