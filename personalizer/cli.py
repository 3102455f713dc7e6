"""The ``personalizer`` command: arguments in, one result out, printed by one function.

Exit codes: 0 success, 1 a user error in one line, 2 wrong usage, 130 interrupted; ``status
--check`` adds 3 ageing, 4 stale, 5 none. Each command lies in ``commands/`` and imports heavy
modules only when it runs, so that the others start at once.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

import click

from indexer import IndexerError
from personalizer import __version__, output
from personalizer.commands import (
    adapters,
    daemon,
    doctor,
    evaluate,
    generate,
    models,
    project,
    train,
)
from personalizer.commands.common import GoesOn, interrupted
from personalizer.errors import Busy, PersonalizerError
from personalizer.processes import BUSY, JOB
from personalizer.storage import data_folder, disk_is_full, limit_met

__all__ = ["main", "personalizer"]


def main() -> None:
    """Runs the command line and ends the process with its exit code."""
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        signal.signal(signal.SIGINT, _interrupt)
        code = personalizer.main(standalone_mode=False)
    except click.ClickException as error:
        output.wrong_usage(error)
        code = error.exit_code
    except (PersonalizerError, IndexerError) as error:
        output.complain(str(error))
        code = BUSY if isinstance(error, Busy) and JOB in os.environ else 1
    except (KeyboardInterrupt, click.Abort) as error:
        lasts = isinstance(error.__cause__, GoesOn)  # click has one word for all interrupts
        goes_on = "; nothing was lost: the same command goes on where it was"
        output.complain(f"interrupted{goes_on if lasts else ''}")
        code = 130
    except Exception as error:
        if isinstance(error, FileNotFoundError) and _stands_nowhere():
            output.complain("the folder that this shell is in is gone: go to one that is there")
        elif disk_is_full(data_folder()):  # libraries have many words for it
            output.complain(f"the disk of {data_folder()} is full: make room there, and try again")
        elif limit := limit_met(error):
            output.complain(
                f"cannot write below {data_folder()}: {limit}: raise the limit (quota, "
                "`ulimit -f`) or set PERSONALIZER_DATA_DIR to a folder without it, and try again"
            )
        else:
            output.complain(f"failed unexpectedly: {error!r}; details are in {output.log_crash()}")
        code = 1
    sys.exit(code or 0)


def _stands_nowhere() -> bool:
    """Whether the folder that this process runs in was deleted."""
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def _interrupt(*_: object) -> None:
    interrupted.set()
    raise KeyboardInterrupt


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="personalizer")
def personalizer() -> None:
    """A code model that knows your project.

    Trains a small adapter on a Java project's own tests, on this machine, and writes unit tests
    and snippets in the project's style. Nothing leaves the machine.
    """
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)


for _command in (
    project.index,
    project.pairs,
    train.train,
    train.status,
    generate.generate,
    generate.snippet,
    evaluate.evaluate,
    adapters.adapters,
    project.dataset,
    models.models,
    daemon.daemon,
    daemon.lsp,
    doctor.doctor,
    project.config,
):
    personalizer.add_command(_command)


if __name__ == "__main__":
    main()
