"""Completion scripts: each asks `jobdeck __complete WORDS…` for the candidates of the last word."""

from __future__ import annotations

_BASH = """_jobdeck() {
    local IFS=$'\\n'
    COMPREPLY=($(jobdeck __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _jobdeck jobdeck"""

_ZSH = """#compdef jobdeck
_jobdeck() {
    local -a candidates
    candidates=("${(@f)$(jobdeck __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "${candidates[*]}" ]]; then compadd -a candidates; else _files; fi
}
compdef _jobdeck jobdeck"""

_FISH = """function __jobdeck_complete
    set -l words (commandline -opc) (commandline -ct)
    jobdeck __complete $words[2..] 2>/dev/null
end
complete -c jobdeck -a '(__jobdeck_complete)'"""

_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}

SHELLS = tuple(_SCRIPTS)


def script(shell: str) -> str:
    """What to source: `source <(jobdeck completion bash)`, or to put where the shell looks for it."""
    return _SCRIPTS[shell]
