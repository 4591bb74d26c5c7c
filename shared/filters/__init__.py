"""The one filter language: the console's `/`, the API's `filter=`, the CLI's `--filter`.

    state:failed,cancelled type:kb-sync dur>10m started<2h name:~etl -tag:dev "connection refused"

A filter is terms with spaces between them; all must hold. `-` before a term negates it.

- A **bare word** searches the full text: of a job its name and description, of a run its job's name and its error
  message. It finds words that begin so (`conn` finds "connection"), whatever their letter case and accents.
  In quotes, the words must stand there as written, one after the other.
- `field:value` is equality, without regard to letter case; `field:~value` finds the value anywhere within.
  Commas give alternatives: `state:failed,cancelled`. Quotes hold spaces and commas together: `name:"a, b"`.
- `<`, `<=`, `>`, `>=` compare moments, durations and numbers.
- With a **span** (`2h`, `10 min` in quotes, `1h30m`) a moment is asked for its distance from now: `started<2h` started
  within the last two hours, `started>2h` longer ago; `next<2h` fires within the next two.
- With a **date** it is asked for its place: `started:2026-03-01` is that day, `>` after it, `>=` from its start on,
  `<` before it, `<=` until its end. `2026-03-01T10:00` is that minute, `today` and `yesterday` are days. Without an
  offset, times are UTC.
- `field:none` is true where there is no value: `finished:none`, `-error:none`, `tag:none`.
- A comparison with a value that is not there does not hold; its negation does.
- `state:` also takes `active` (pending, running, retrying), `finished` (the rest) and `cancelling`.
- `dur` is what a run took from its start to its end, or has taken until now. `progress` is in percent.
- `job:` is a job's id, name or slug; `owner:` a user's id or handle; `error:` the error's kind or fingerprint, and
  `error:~` its message too. `schedule:` is `cron`, `simple`, `once` or `none`, the expression, or its words.
- Of the **audit**, `user:` is an id or a handle, `subject:` an id or a name, `act:` an operation or an event.

- Of a **row** of a list that the agent answers whole, the columns are the fields, and `field:value` looks for words in
  what the column says.

A filter has at most 2,000 characters, 30 terms, and 100 values in all of them together.

The store compiles the same filter of runs and jobs to SQL; a property test holds the two together.
"""

from __future__ import annotations

from shared.filters.completion import complete, word_at
from shared.filters.faults import BadFilter
from shared.filters.fields import Fields
from shared.filters.filter import NOTHING_KNOWN, Filter, Known
from shared.filters.parsing import parse
from shared.filters.rows import RowFilter, fields_of, parse_rows
from shared.filters.terms import Kind

__all__ = [
    "NOTHING_KNOWN", "BadFilter", "Fields", "Filter", "Kind", "Known", "RowFilter",
    "complete", "fields_of", "parse", "parse_rows", "word_at",
]  # fmt: skip
