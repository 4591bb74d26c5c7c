"""What the agent knows of `document_processing` without importing its code."""

from __future__ import annotations

from agent.core.driving import Manifest, Needs
from agent.drivers.document_processing.parameters import DocumentParameters

HELP = """\
Reads PDF, DOCX, EPUB, HTML, Markdown and plain text: text and metadata, cut into chunks, into a knowledge base or a file of JSON
Lines. In a knowledge base only what changed is read and embedded again; `remove_missing` removes what is gone, for
which it must be the job's owner's, or shared with the owner as editor.

A document that cannot be read (broken, encrypted, too large, too slow) is counted and named in a warning; what is there
of it stays, and the others go on. Each is read in a process of its own with bounds of memory and time. Links are not
followed, nothing outside of the agent's folder for files and the setting `file_roots` is read, and nothing is fetched.
"""


def _needs(parameters: DocumentParameters) -> Needs:
    """What is removed may be what others brought under the same origin."""
    named = (parameters.knowledge_base,) if parameters.knowledge_base else ()
    changed = named if parameters.remove_missing else ()
    return Needs(knowledge_bases=named, changed=frozenset(("knowledge_base", name) for name in changed))


MANIFEST = Manifest(
    type="document_processing",
    title="Documents into a knowledge base or a file",
    help=HELP,
    parameters=DocumentParameters,
    entry="agent.drivers.document_processing.run:run",
    needs=_needs,
    template={"files": ["handbook"], "knowledge_base": "handbook_kb", "remove_missing": True},
)
