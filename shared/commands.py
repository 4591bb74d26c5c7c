"""The words after `jobdeck`: what each is for, and whose code it is; and what is told of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Command:
    """One word after `jobdeck`: what it is for, and where its code is (`module:function`)."""

    name: str
    about: str
    entry: str


CONSOLE = "console.app:main"
CONSOLE_CLI = "console.cli:main"
AGENT_CLI = "agent.cli:main"

COMMANDS = {
    command.name: command
    for command in (
        Command("agent", "run the agent: schedule jobs, execute runs, serve the API", AGENT_CLI),
        Command("demo", "a whole working world in a temporary folder", AGENT_CLI),
        Command("job", "list, show, create, edit, run, pause, restore, delete jobs", CONSOLE_CLI),
        Command("draft", "edit jobs without touching them, then commit", CONSOLE_CLI),
        Command("run", "list, show, watch, cancel, rerun runs; read their logs", CONSOLE_CLI),
        Command("explain", "why did a job (not) run?", CONSOLE_CLI),
        Command("apply", "create and replace jobs as files define them; --dry-run: the plan", CONSOLE_CLI),
        Command("export", "write jobs as definitions that apply takes back", CONSOLE_CLI),
        Command("definitions", "what the agent made of its definitions folder", CONSOLE_CLI),
        Command("catch-up", "list, release, discard missed fires that wait for you", CONSOLE_CLI),
        Command("sentinel", "jobs unlike themselves: overdue, too slow, too fast, flapping", CONSOLE_CLI),
        Command("login", "log in at an agent elsewhere, and keep a token for it", CONSOLE_CLI),
        Command("logout", "revoke the token that login keeps, and forget it", CONSOLE_CLI),
        Command("whoami", "who you are for the agent, and what you may do", CONSOLE_CLI),
        Command("user", "create, list, show, disable users; set passwords and roles", CONSOLE_CLI),
        Command("account", "create, list, disable accounts", CONSOLE_CLI),
        Command("token", "create, list, revoke access tokens", CONSOLE_CLI),
        Command("audit", "what was done, by whom, and who was refused", CONSOLE_CLI),
        Command("secret", "store, list, remove secrets", CONSOLE_CLI),
        Command("connection", "add, list, test, remove data sources", CONSOLE_CLI),
        Command("kb", "create, list, search, remove knowledge bases", CONSOLE_CLI),
        Command("dataset", "list, create, refresh, delete datasets; their rows and snapshots", CONSOLE_CLI),
        Command("doctor", "look whether the agent and its data are sound", AGENT_CLI),
        Command("backup", "copy the agent's data while it works", AGENT_CLI),
        Command("restore", "put a backup back", AGENT_CLI),
    )
}

HELP = """Usage: jobdeck [COMMAND] [OPTIONS]

Runs jobs and shows them. Without a command it opens the console,
which takes --agent URL|SOCKET, --context NAME, --view NAME, --theme NAME.

Commands:
{commands}
  completion{gap}completion script for bash, zsh or fish

`jobdeck COMMAND --help` says more about each.

Options:
  -V, --version  print the version
  -h, --help     print this

Environment:
  JOBDECK_AGENT     the agent to talk to: a URL or the path of a socket
                    (default: the local agent's socket)
  JOBDECK_TOKEN     the token to show it
                    (default: the file ~/.config/jobdeck/token, if there is one)
  JOBDECK_CONTEXT   an agent by its name in ~/.config/jobdeck/console.toml
  JOBDECK_DATA_DIR  where the local agent keeps its data
  NO_COLOR          no colours

Exit codes: 0 done, 1 failed, 2 wrong usage or input, 3 not found, 4 refused,
5 agent unavailable, 6 conflict, 7 too many, 8 the run was cancelled,
9 the wait is over, 130 interrupted, 141 nobody reads the output any more."""


COMPLETION_HELP = """Usage: jobdeck completion bash|zsh|fish

Prints what makes the shell complete jobdeck's commands and options.

  bash  source <(jobdeck completion bash)      in ~/.bashrc
  zsh   source <(jobdeck completion zsh)       in ~/.zshrc, behind compinit
  fish  jobdeck completion fish | source       in ~/.config/fish/config.fish"""
