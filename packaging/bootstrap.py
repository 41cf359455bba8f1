#!/usr/bin/env python3
"""Sets Microturn up and starts it, or runs its tests. Needs Python and nothing else.

    python3 packaging/bootstrap.py run [ARGUMENTS FOR MICROTURN]
    python3 packaging/bootstrap.py test [ARGUMENTS FOR PYTEST]

The first run makes .venv in the project's folder and installs what is pinned;
later ones start at once. "run" without arguments opens the window, or plays the
demo where there is no display. "test" without arguments runs the linter, the
type checker, the import contracts and all tests.
"""

# Old Pythons must be able to read this file, to be told that they are too old; the rest is in the
# modules beside it, imported after that check.

import os
import platform
import shutil
import subprocess
import sys

OLDEST = (3, 11)
NEWER = ("python3.14", "python3.13", "python3.12", "python3.11")


def unfit(version: "tuple[int, ...]", system: str, machine: str) -> "str | None":
    """One line for people when Microturn cannot run on this Python, else None."""
    if version[:2] < OLDEST:
        here = ".".join(str(part) for part in version[:3])
        found = [name for name in NEWER if shutil.which(name)]
        advice = "start this script with {}".format(found[0] if found else "a newer one")
        return f"Microturn needs Python 3.11 or newer, and this is {here}; {advice}."
    if (system, machine) == ("Darwin", "x86_64"):
        return (
            "PyTorch has no package for Intel Macs any more; on an Apple-silicon Mac, start this "
            "script with a Python made for arm64."
        )
    return None


def has_display() -> bool:
    """Whether a window can be opened: always said yes on Windows and macOS."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def meet_needs(purposes: "set[str]", vital: "set[str]") -> None:
    """Install missing system libraries where that may be done from here, else print the line to type.

    Raises:
        SetUpError: something of a ``vital`` purpose is missing and could not be installed.
    """
    import system_libraries as system
    from environment import SetUpError, say

    missing = system.missing(purposes)
    if missing and system.may_install():
        say("installing system packages: " + " ".join(sorted({need.apt for need in missing})))
        system.install(missing)
        missing = system.missing(purposes)
    if not missing:
        return
    wanted = ", ".join(sorted({need.purpose for need in missing}))
    advice = f"this computer lacks what {wanted} needs; type: {system.install_line(missing)}"
    if vital & {need.purpose for need in missing}:
        raise SetUpError(advice)
    say(advice)


def run(arguments: "list[str]") -> int:
    """Set up, then become the application."""
    import system_libraries as system
    from environment import Environment

    window = has_display()
    purposes = {system.VENV, system.SOUND}
    if window:
        purposes |= {system.WINDOW} | ({system.X11} if os.environ.get("DISPLAY") else set())
    meet_needs(purposes, vital=purposes - {system.SOUND} if not arguments else {system.VENV})
    environment = Environment()
    environment.ensure(dev=False)
    command = [str(environment.script("microturn")), *(arguments or ([] if window else ["demo"]))]
    sys.stdout.flush()
    if os.name == "posix":
        # Signals then reach the application itself.
        os.execv(command[0], command)
    return wait_for(command)


def test(arguments: "list[str]") -> int:
    """Set up with the development tools, then check; with arguments, run pytest alone with them."""
    import system_libraries as system
    from environment import Environment, say

    everything = {system.VENV, system.SOUND, system.WINDOW, system.X11, system.TESTS}
    meet_needs(everything, vital={system.VENV})
    environment = Environment()
    environment.ensure(dev=True)
    checks = [
        ["ruff", "check"],
        ["ruff", "format", "--check"],
        ["mypy"],
        ["lint-imports"],
        ["pytest"],
    ]
    if arguments:
        checks = [["pytest", *arguments]]
    os.chdir(str(environment.root))
    failed = []
    for check in checks:
        say("running " + " ".join(check))
        if wait_for([str(environment.script(check[0])), *check[1:]]):
            failed.append(check[0])
    if failed:
        say("failed: " + ", ".join(failed))
    return 1 if failed else 0


def wait_for(command: "list[str]") -> int:
    """Run a command to its end; Ctrl-C is the command's own business."""
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def main(arguments: "list[str]") -> int:
    problem = unfit(sys.version_info[:3], platform.system(), platform.machine())
    if problem:
        print(problem, file=sys.stderr)
        return 1
    commands = {"run": run, "test": test}
    if not arguments or arguments[0] not in commands:
        asked = arguments[:1] in (["-h"], ["--help"])
        print(__doc__, file=sys.stdout if asked else sys.stderr)
        return 0 if asked else 2
    from environment import SetUpError

    try:
        return commands[arguments[0]](arguments[1:])
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
    except KeyboardInterrupt:
        print("set-up: stopped; the same command goes on from here", file=sys.stderr)
        return 130
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
