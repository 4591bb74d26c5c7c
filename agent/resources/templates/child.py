"""The process in which templates are rendered: little memory, little time, nothing to reach.

Reads one JSON object from standard input and writes one: `{"templates": {name: text}, "html": [names], "values":
{…} or null}` gives `{"rendered": {name: text}}` or `{"fault": {"template", "line", "message"}}`; without values the
templates are only compiled.
"""

from __future__ import annotations

import json
import resource
import sys
from typing import Any

from agent.resources.templates.limits import CPU_SECONDS, LARGEST, MEMORY


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    task = json.load(sys.stdin)
    environments = {"html": _environment(autoescape=True), "text": _environment(autoescape=False)}
    # what was loaded until here is not counted against the template
    resource.setrlimit(resource.RLIMIT_AS, (_address_space() + MEMORY, resource.RLIM_INFINITY))
    json.dump(_answer(task, environments), sys.stdout)


def _answer(task: dict[str, Any], environments: dict[str, Any]) -> dict[str, Any]:
    rendered: dict[str, str] = {}
    room = LARGEST
    for name, text in task["templates"].items():
        try:
            template = environments["html" if name in task["html"] else "text"].from_string(text)
            if task["values"] is not None:
                rendered[name] = _rendered(template, task["values"], room)
                room -= len(rendered[name])
        except MemoryError:
            return _fault(name, None, f"it takes more than {MEMORY // 2**20} MiB of memory")
        except RecursionError:
            return _fault(name, None, "it is nested too deeply")
        except Exception as error:  # a template may raise whatever the values' methods raise
            return _fault(name, _line_of(error), f"{error}" or type(error).__name__)
    return {"rendered": rendered}


def _rendered(template: Any, values: dict[str, Any], room: int) -> str:
    parts: list[str] = []
    for part in template.generate(**values):
        room -= len(part)
        if room < 0:
            raise ValueError(f"it makes more than {LARGEST} characters")
        parts.append(part)
    return "".join(parts)


def _environment(*, autoescape: bool) -> Any:
    from jinja2 import StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    environment = ImmutableSandboxedEnvironment(
        autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True
    )
    del environment.globals["lipsum"]
    return environment


def _line_of(error: BaseException) -> int | None:
    """In the template: as the compiler says, or the last frame of it."""
    line: int | None = getattr(error, "lineno", None)
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _fault(name: str, line: int | None, message: str) -> dict[str, Any]:
    return {"fault": {"template": name, "line": line, "message": message[:1000]}}


def _address_space() -> int:
    with open("/proc/self/statm") as file:  # noqa: PTH123
        return int(file.read().split()[0]) * resource.getpagesize()


if __name__ == "__main__":
    main()
