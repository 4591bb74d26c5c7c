"""`email` against a real SMTP server on loopback, in a real worker.

127.0.0.2 stands for a mail server that is allowed, 127.0.0.1 for one that is not: the server hears on both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from pydantic import ValidationError

from agent.core.driving import Needs
from agent.core.wire import ActionOrder, AttachmentGrant, DatasetGrant, Ended, Warned
from agent.drivers.email.manifest import MANIFEST
from agent.drivers.email.parameters import EmailParameters
from shared.models import MailServer
from shared.models.dataset import Snapshot, SnapshotColumn
from tests.acceptance.workers.stage import Stage, new_stage, until
from tests.harness.agent import NOW
from tests.harness.certificates import certificate
from tests.harness.mail_server import MailBox, mail_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
_ALLOWED = ["127.0.0.2/32"]
_BASIC = {"to": "a@example.org", "subject": "S", "text": "T", "from": "jobs@example.net"}


@pytest.fixture
def box() -> Iterator[MailBox]:
    with mail_server() as box:
        yield box


def plain(box: MailBox, host: str = "127.0.0.2") -> dict[str, Any]:
    return {"host": host, "port": box.port, "tls": "none"}


async def send(stage: Stage, box: MailBox, data: dict[str, Any] | None = None, **fields: Any) -> Ended:
    given = {**_BASIC, "server": plain(box), **(data or {})}
    return await stage.run(MANIFEST.entry, given, **{"allow_private_addresses": _ALLOWED, **fields})


def kind(ended: Ended) -> tuple[str, bool]:
    assert ended.error is not None, ended
    return ended.error.kind, ended.error.transient


async def test_a_mail_goes_out_as_it_was_written(stage: Stage, box: MailBox) -> None:
    data = {
        "to": ["Ann Ä <a@example.org>", "b@example.org"],
        "cc": "c@example.org",
        "bcc": "hidden@example.org",
        "reply_to": "answers@example.net",
        "subject": "{{ job.name }}: {{ params.what }}",
        "text": "Run {{ run.id }}, attempt {{ run.attempt }}: größer\n",
        "html": "<p>{{ params.what }}</p>",
        "params": {"what": "<b>done</b>"},
    }
    ended = await send(stage, box, data, run_id="run-7", job_name="Nightly")
    assert ended.outcome == "completed", ended
    (taken,) = box.taken
    message = taken.message
    assert taken.sender == "jobs@example.net"
    assert taken.recipients == ["a@example.org", "b@example.org", "c@example.org", "hidden@example.org"]
    assert message["subject"] == "Nightly: <b>done</b>"
    assert message["to"] == "Ann Ä <a@example.org>, b@example.org"
    assert message["cc"] == "c@example.org"
    assert message["reply-to"] == "answers@example.net"
    assert message["message-id"] == "<run-7@example.net>"
    assert message["auto-submitted"] == "auto-generated"
    assert "hidden" not in message.as_string()
    assert message.as_bytes().isascii(), "servers need not take eight bits"
    text, html = message.get_body(["plain"]), message.get_body(["html"])
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == ["Run run-7, attempt 1: größer"]
    assert html.get_content().strip() == "<p>&lt;b&gt;done&lt;/b&gt;</p>", "values are escaped in HTML"
    assert ended.result is not None
    assert ended.result["accepted"] == taken.recipients
    assert ended.result["message_id"] == "<run-7@example.net>"


async def test_every_attempt_is_the_same_mail(stage: Stage, box: MailBox) -> None:
    for attempt in (1, 2):
        stage.endings.clear()
        await send(stage, box, run_id="the-run", attempt=attempt)
    assert [taken.message["message-id"] for taken in box.taken] == ["<the-run@example.net>"] * 2


async def test_an_action_takes_files_log_and_results_with_it(stage: Stage, box: MailBox, tmp_path: Path) -> None:
    content = tmp_path / "blob"
    content.write_bytes(bytes(range(256)) * 10)
    rows = [{"n": 1, "text": "=1+1"}, {"n": 2, "more": [1], "@x": 5}]
    file = {"file": {"blob": "0" * 64, "size": 2560, "contentType": "application/pdf"}}
    grants = [
        AttachmentGrant(type="file", name="bericht-ä.pdf", data=file, path=str(content)),
        AttachmentGrant(type="log", name="log.txt", data={"lines": 2}),
        AttachmentGrant(type="result", name="main.json", data={}),
        AttachmentGrant(type="result", name="rows.csv", data={"path": "rows", "format": "csv"}),
    ]
    data = {**_BASIC, "server": plain(box), "text": "{{ results.main.rows | length }} rows, {{ states.main }}"}
    mail = ActionOrder(
        id="mail", name="Tell", type="email", entry=MANIFEST.entry, data=data, attachments=grants,
        condition='len(results["main"]["rows"]) == 2',
    )  # fmt: skip
    note = {"file": str(tmp_path / "notes"), "name": "main", "result": {"rows": rows}}
    ended = await stage.run(
        "jobdeck_step_drivers:note", note, actions=[mail], run_id="r", allow_private_addresses=_ALLOWED
    )
    assert ended.outcome == "completed", ended
    (taken,) = box.taken
    assert taken.message["message-id"] == "<r.mail@example.net>"
    body = taken.message.get_body(["plain"])
    assert body is not None
    assert body.get_content().strip() == "2 rows, completed"
    parts = {part.get_filename(): part for part in taken.message.iter_attachments()}
    assert parts["bericht-ä.pdf"].get_content() == content.read_bytes()
    assert parts["bericht-ä.pdf"].get_content_type() == "application/pdf"
    assert parts["log.txt"].get_content() == "main was here\nand wrote\n"
    assert '"n": 1' in parts["main.json"].get_content().decode()
    assert parts["rows.csv"].get_content().splitlines() == ["n,text,more,'@x", "1,'=1+1,,", "2,,[1],5"]


def dataset(folder: Path, rows: int) -> DatasetGrant:
    """With one snapshot, of that many rows."""
    path = folder / "dataset"
    path.mkdir()
    query = f"SELECT i AS n, CASE WHEN i = 0 THEN '=1+1' ELSE 'row ' || i END AS text FROM range({rows}) t(i)"
    duckdb.sql(query).write_parquet(str(path / "s1.parquet"))
    columns = [SnapshotColumn(name="n", type="BIGINT"), SnapshotColumn(name="text", type="VARCHAR")]
    snapshot = Snapshot(
        id="s1",
        dataset_id="d",
        created_at=NOW,
        run_id="r",
        rows=rows,
        bytes=1,
        sha256="",
        query_sha256="",
        columns=columns,
    )
    (path / "s1.json").write_text(snapshot.model_dump_json(by_alias=True))
    return DatasetGrant(id="d", name="Orders", path=str(path))


async def test_a_dataset_goes_with_it(stage: Stage, box: MailBox, tmp_path: Path) -> None:
    grants = [
        AttachmentGrant(type="dataset", name="orders.csv", data={"dataset": "orders", "rows": 2}),
        AttachmentGrant(type="dataset", name="orders.jsonl", data={"dataset": "orders", "format": "jsonl"}),
    ]
    data = {**_BASIC, "server": plain(box)}
    mail = ActionOrder(id="m", name="Tell", type="email", entry=MANIFEST.entry, data=data, attachments=grants)
    note = {"file": str(tmp_path / "notes"), "name": "main"}
    given = {"actions": [mail], "datasets": {"orders": dataset(tmp_path, 3)}, "allow_private_addresses": _ALLOWED}
    run = await stage.give("jobdeck_step_drivers:note", note, **given)
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "completed", ended
    parts = {part.get_filename(): part for part in box.taken[0].message.iter_attachments()}
    assert parts["orders.csv"].get_content().splitlines() == ["n,text", "0,'=1+1", "1,row 1"]
    assert parts["orders.jsonl"].get_payload(decode=True).decode().count("\n") == 3
    assert [event.text for event in stage.of(run, Warned)] == ["Tell: orders.csv has the first 2 of 3 rows"]


@pytest.mark.parametrize(
    ("grant", "words"),
    [
        (AttachmentGrant(type="file", name="f.txt", data={}), "f.txt: nothing was uploaded"),
        (AttachmentGrant(type="result", name="r", data={"step": "x"}), "'x' is no step before it"),
        (AttachmentGrant(type="result", name="r", data={"path": "no.where"}), "nothing at no.where"),
        (AttachmentGrant(type="result", name="r", data={"format": "csv", "path": "seen.main"}), "nothing at seen.main"),
        (AttachmentGrant(type="result", name="r", data={"format": "csv", "path": "text"}), "a list of them"),
    ],
)
async def test_what_cannot_be_attached_is_said(
    stage: Stage, box: MailBox, tmp_path: Path, grant: AttachmentGrant, words: str
) -> None:
    data = {**_BASIC, "server": plain(box)}
    mail = ActionOrder(id="m", name="m", type="email", entry=MANIFEST.entry, data=data, attachments=[grant])
    note = {"file": str(tmp_path / "notes"), "name": "main", "result": {"text": "t"}}
    ended = await stage.run("jobdeck_step_drivers:note", note, actions=[mail], allow_private_addresses=_ALLOWED)
    assert kind(ended) == ("m.attachment", False)
    assert ended.error is not None
    assert words in ended.error.message
    assert box.taken == []


async def test_no_header_comes_of_what_a_template_makes(stage: Stage, box: MailBox) -> None:
    data = {"subject": "{{ params.evil }}", "params": {"evil": "one\r\nBcc: x@evil.example\n\nbody\u2028x"}}
    assert (await send(stage, box, data)).outcome == "completed"
    (taken,) = box.taken
    assert taken.message["subject"] == "one Bcc: x@evil.example body x"
    assert taken.message["bcc"] is None
    assert taken.recipients == ["a@example.org"]


async def test_who_of_several_is_refused_is_a_warning(stage: Stage, box: MailBox) -> None:
    box.refuse["no@example.org"] = "550 no such user"
    data = {**_BASIC, "server": plain(box), "to": ["a@example.org", "no@example.org"]}
    run = await stage.give(MANIFEST.entry, data, allow_private_addresses=_ALLOWED)
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "completed", ended
    assert [event.text for event in stage.of(run, Warned)] == ["no@example.org was refused: 550 no such user"]
    assert ended.result is not None
    assert ended.result["refused"] == {"no@example.org": "550 no such user"}
    assert box.taken[0].recipients == ["a@example.org"]


@pytest.mark.parametrize(("answer", "transient"), [("451 later", True), ("550 never", False)])
async def test_only_what_may_pass_is_transient(stage: Stage, box: MailBox, answer: str, transient: bool) -> None:
    box.refuse["a@example.org"] = answer
    ended = await send(stage, box)
    assert kind(ended) == ("refused", transient)
    assert ended.error is not None
    assert f"a@example.org: {answer}" in ended.error.message
    box.refuse.clear()
    box.at_end = answer
    assert kind(await send(stage, box)) == ("refused", transient)


async def test_nobody_there_is_transient(stage: Stage, box: MailBox) -> None:
    data = {"server": {"host": "127.0.0.2", "port": 1, "tls": "none"}}
    assert kind(await send(stage, box, data)) == ("unreachable", True)


async def test_a_server_that_does_not_answer_times_out(stage: Stage, box: MailBox) -> None:
    box.hang = True
    assert kind(await send(stage, box, {"timeout": "300 ms"})) == ("timeout", True)


async def test_cancel_works_while_the_server_thinks(stage: Stage, box: MailBox) -> None:
    box.hang = True
    data = {**_BASIC, "server": plain(box)}
    run = await stage.give(MANIFEST.entry, data, allow_private_addresses=_ALLOWED, kill_grace=600)
    await until(lambda: box.connections)
    stage.executor.cancel(run)
    ended = (await stage.ending(run)).ended
    assert ended is not None
    assert ended.outcome == "cancelled"


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "::1", "0.0.0.0", "2130706433", "10.0.0.1", "169.254.169.254"]
)
async def test_private_servers_are_refused_in_every_spelling(stage: Stage, box: MailBox, host: str) -> None:
    ended = await send(stage, box, {"server": plain(box, host)})
    assert kind(ended) == ("address_refused", False)
    assert ended.error is not None
    assert "smtp_hosts" in ended.error.message
    assert box.connections == 0


async def test_servers_that_the_settings_name_are_reached(stage: Stage, box: MailBox) -> None:
    given = {"allow_private_addresses": []}
    assert (
        await send(stage, box, {"server": plain(box, "localhost")}, smtp_hosts=["localhost"], **given)
    ).outcome == "completed"
    own = MailServer(host="127.0.0.1", port=box.port, tls="none", sender="agent@example.net")
    ended = await send(stage, box, {"server": None, "from": None}, mail_server=own, **given)
    assert ended.outcome == "completed", ended
    assert box.taken[-1].sender == "agent@example.net"
    assert MANIFEST.needs(EmailParameters.model_validate({**_BASIC})) == Needs(mail_server=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def trusting(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stage, Any, Any]]:
    """A worker that trusts an authority of its own, as machines with a private one do; TLS of 127.0.0.2 and another."""
    folder = tmp_path_factory.mktemp("tls")
    (folder / "other").mkdir()
    tls, authority = certificate(folder, "127.0.0.2")
    other, second = certificate(folder / "other", "mail.example.org")
    authority.write_bytes(authority.read_bytes() + second.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(authority))
        stage = new_stage(folder)
        await stage.executor.start(stage.on_event, stage.on_end)
    yield stage, tls, other
    await stage.executor.stop(0)


@pytest.mark.parametrize("mode", ["starttls", "tls"])
async def test_tls_and_login(trusting: tuple[Stage, Any, Any], mode: str) -> None:
    stage, tls, other = trusting
    server = {"host": "127.0.0.2", "tls": mode, "user": "jobs", "secret": "smtp-password"}
    parameters = EmailParameters.model_validate({**_BASIC, "server": server})
    assert MANIFEST.needs(parameters) == Needs(secrets=("smtp-password",))
    with mail_server(tls=tls, implicit=mode == "tls", password="right") as box:
        data = {"server": {**server, "port": box.port}}
        ended = await send(stage, box, data, secrets={"smtp-password": "right"})
        assert ended.outcome == "completed", ended
        assert (box.taken[0].secure, box.taken[0].user) == (True, "jobs")
        stage.endings.clear()
        ended = await send(stage, box, data, secrets={"smtp-password": "wrong"})
        assert kind(ended) == ("login", False)
    with mail_server(tls=other, implicit=mode == "tls") as box:
        data = {"server": {"host": "127.0.0.2", "tls": mode, "port": box.port}}
        assert kind(await send(stage, box, data)) == ("tls", False), "a certificate of another host"
        assert box.taken == []


async def test_no_mail_goes_out_in_clear_where_tls_is_asked_for(stage: Stage, box: MailBox) -> None:
    ended = await send(stage, box, {"server": {"host": "127.0.0.2", "port": box.port, "tls": "starttls"}})
    assert kind(ended) == ("tls", False)
    assert box.taken == []


ATTACKS = [
    ("{{ 'a' * 10**9 }}", "MiB"),
    ("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}", "it takes"),
    ("{{ '%1000000000d' | format(1) }}", "MiB"),
    ("{% for a in range(99999) %}{{ 'x' * 1000 }}{% endfor %}", "characters"),
    ("{{ ''.__class__ }}", "unsafe"),
    ("{{ run.__class__.__mro__ }}", "unsafe"),
    ("{{ cycler.__init__.__globals__ }}", "unsafe"),
    ("{{ '{0.__class__}'.format(1) }}", "unsafe"),
    ("{{ run | attr('__class__') }}", "unsafe"),
    ("{% include '/etc/passwd' %}", "no loader"),
    ("{{ missing }}", "'missing' is undefined"),
    ("{{ results.other.n }}", "has no attribute 'other'"),
    ("{{ run.update({'a': 1}) }}", "unsafe"),
    ("{{ lipsum(n=1000000) }}", "undefined"),
]


@pytest.mark.parametrize(("template", "words"), ATTACKS)
async def test_templates_can_do_no_harm(stage: Stage, box: MailBox, template: str, words: str) -> None:
    ended = await send(stage, box, {"text": template})
    assert kind(ended) == ("template", False)
    assert ended.error is not None
    assert ended.error.message.startswith("text: ")
    assert words in ended.error.message
    assert box.connections == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"to": "nobody"}, "no mail address"),
        ({"to": "a@example.org\r\nBcc: x@evil.example"}, "no mail address"),
        ({"to": ["a@example.org, b@example.org"]}, "no mail address"),
        ({"to": "ä@example.org"}, "xn--"),
        ({"to": []}, "who gets the mail"),
        ({"subject": "a\nb"}, "one line"),
        ({"subject": ""}, "subject"),
        ({"text": None}, "what the mail says"),
        ({"from": "x"}, "no mail address"),
        ({"timeout": "0 s"}, "at most an hour"),
        ({"server": {"host": "a b"}}, "host"),
        ({"server": {"host": "a", "user": "u"}}, "go together"),
        ({"server": {"host": "a", "user": "u", "secret": "s", "tls": "none"}}, "without TLS"),
        ({"server": {"host": "a"}, "from": None}, "`from` is needed"),
        ({"server": {"host": "a", "port": 0}}, "port"),
        ({"attachments": []}, "attachments"),
    ],
)
async def test_wrong_parameters_are_refused_by_name(data: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        EmailParameters.model_validate({**_BASIC, **data})
    assert words in str(refused.value)
