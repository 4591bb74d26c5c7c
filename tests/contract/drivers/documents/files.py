"""Files of each kind in a world's folder."""

from __future__ import annotations

from pathlib import Path

import psutil

from tests.contract.drivers.kb_world import KbWorld
from tests.harness.pdf import pdf

HTML = """<html lang="en"><head><title>Hat shop</title><script>alert("hidden")</script><style>p {}</style></head>
<body><h1>Hats</h1><p>Warm &amp; woollen hats for the <b>winter</b>, <a href="/x">by <i>hand</i></a>.</p></body></html>"""

MARKDOWN = "---\ntitle: Sailing notes\nauthor: Bob\n---\n# Sailing\n\nA boat *sails* with strong wind.\n"


def put(world: KbWorld, name: str, content: str | bytes) -> Path:
    path = world.folder / "files" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def put_all(world: KbWorld) -> None:
    put(world, "in/shoes.pdf", pdf("Marathon shoes are red.\nThey run fast.", "Espresso (strong)."))
    put(world, "in/hats.html", HTML)
    put(world, "in/notes/sailing.md", MARKDOWN)
    put(world, "in/plain.txt", "A garden chair made of wood.\n")
    put(world, "in/picture.png", b"\x89PNG")
    put(world, "in/.hidden.txt", "not to be seen")


def children() -> list[str]:
    """Those of this process that read documents; what has ended and was not waited for says nothing of itself."""
    found = (child.info for child in _below())
    return [info["name"] for info in found if "document_processing.child" in " ".join(info["cmdline"] or ())]


def _below() -> list[psutil.Process]:
    below = {child.pid for child in psutil.Process().children(recursive=True)}
    return [process for process in psutil.process_iter(["name", "cmdline"]) if process.pid in below]
