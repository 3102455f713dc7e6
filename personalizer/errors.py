"""What can go wrong, as the user is told.

PersonalizerError                 one line: what was expected, what came, what to do
├── BadInput                      the project or the arguments do not allow what was asked
│   ├── NoTests                   nothing to learn from
│   ├── TooFewPairs               fewer pairs than training needs
│   ├── TooLarge                  a request is larger than the daemon reads
│   ├── TooSlow                   a request does not come whole in time
│   ├── NoSuchMethod              no method at the target
│   └── NoSuchJob                 no job of this id
├── BaseModelError                the base model is not there, or does not fit its tokenizer
│   └── BaseTooLarge              it is there, and memory does not suffice for it
├── PromptTooLong                 what a prompt must hold does not fit the context
├── AdapterError                  an adapter is missing, damaged or of another base
├── SettingsError                 settings that cannot be; all bad keys in one message
├── OutOfMemory                   even the thriftiest way needs more memory than there is
├── Busy                          somebody else holds the workspace's lock
├── StorageError                  the data folder cannot be written
└── DaemonError                   the daemon failed or refused
    ├── Unreachable               no daemon answers
    │   └── NotListening          none is there, so nothing was asked of one
    ├── EngineError               the engine child failed
    ├── TooBusy                   it has more to do than it takes on
    └── Cancelled                 the request was cancelled
"""

__all__ = [
    "AdapterError",
    "BadInput",
    "BaseModelError",
    "BaseTooLarge",
    "Busy",
    "Cancelled",
    "DaemonError",
    "EngineError",
    "NoSuchJob",
    "NoSuchMethod",
    "NoTests",
    "NotListening",
    "OutOfMemory",
    "PersonalizerError",
    "PromptTooLong",
    "SettingsError",
    "StorageError",
    "TooBusy",
    "TooFewPairs",
    "TooLarge",
    "TooSlow",
    "Unreachable",
]


class PersonalizerError(Exception):
    """Base of everything raised on purpose; its text is one line for the user."""


class BadInput(PersonalizerError):
    """The project or the arguments do not allow what was asked."""


class NoTests(BadInput):
    """There is nothing to learn from."""


class TooFewPairs(BadInput):
    """Fewer pairs than training needs."""


class TooLarge(BadInput):
    """A request is larger than the daemon reads."""


class TooSlow(BadInput):
    """A request has not come whole in the time that the daemon waits."""


class NoSuchMethod(BadInput):
    """No method stands at the target."""


class NoSuchJob(BadInput):
    """The daemon knows no job of this id."""


class BaseModelError(PersonalizerError):
    """The base model is not there, or does not fit its tokenizer."""


class BaseTooLarge(BaseModelError, MemoryError):
    """The base model is there, and memory does not suffice for it as it is to be loaded."""


class PromptTooLong(PersonalizerError):
    """What a prompt must hold does not fit the model's context."""


class AdapterError(PersonalizerError):
    """An adapter is missing, damaged or made for another base."""


class SettingsError(PersonalizerError):
    """Settings that cannot be."""


class OutOfMemory(PersonalizerError):
    """Even the thriftiest way to train needs more memory than there is."""


class Busy(PersonalizerError):
    """Somebody else holds the workspace's lock."""


class StorageError(PersonalizerError):
    """The data folder cannot be read or written."""


class DaemonError(PersonalizerError):
    """The daemon failed, or refused."""


class Unreachable(DaemonError):
    """No daemon answers; any other ``DaemonError`` is what one that lives has told."""


class NotListening(Unreachable):
    """No daemon is there, so nothing was asked of one."""

    ended_well = False
    """It has taken its socket away, as one that has ended by itself or was stopped does."""


class EngineError(DaemonError):
    """The engine failed: in this process, its child or at a server."""


class TooBusy(DaemonError):
    """The daemon has more to do than it takes on: ask again later."""


class Cancelled(DaemonError):
    """The request was cancelled by its sender."""
