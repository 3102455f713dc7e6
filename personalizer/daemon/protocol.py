"""What travels between the daemon and its clients: requests, answers. Free of torch.

Answers are the JSON objects of the command line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Literal

from personalizer.phases import Progress
from personalizer.status import AdapterStatus

__all__ = [
    "EvaluateRequest",
    "Evaluation",
    "GenerateRequest",
    "Job",
    "JobKind",
    "JobRequest",
    "JobState",
    "MeasureRequest",
    "PlaceRequest",
    "Progress",
    "Retraining",
    "SnippetRequest",
    "Status",
    "TrainRequest",
    "ViewAct",
]

JobState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class GenerateRequest:
    """``POST /api/generate``: a unit test for the method at a place."""

    workspace: str
    """Absolute path of the workspace folder."""
    path: str
    """File of the focal method, POSIX, relative to the workspace."""
    line: int | None = None
    """A line of the focal method, from 1; or ``method``."""
    method: str | None = None
    """``Class#method`` instead of a line."""
    buffers: dict[str, str] = field(default_factory=dict)
    """Unsaved text by path; it stands for the file on disk."""
    n: int = 5
    """Candidates, up to ``limits.MOST_CANDIDATES``."""
    adapter: str | None = None
    """Adapter id or ``base``; the serving adapter when left out."""
    retrieve: int | None = None
    """Retrieved examples in the prompt; as the settings say when left out."""
    run: bool = True
    """Compile and run candidates where a sandbox is there."""
    trusted: bool = False
    """The user trusts this folder, so it may be built and run."""
    skip: int = 0
    """Candidates for this method that were offered already: the next one comes first, from those
    that were made then, or made anew."""
    stream: bool = False
    """Answer with server-sent events: each candidate as it is made and judged, then the whole."""


@dataclass(frozen=True, slots=True)
class PlaceRequest:
    """``POST /api/place``: the edit that adds one candidate of a generation to the project."""

    workspace: str
    path: str
    """File of the focal method."""
    line: int
    """A line of the focal method, from 1."""
    text: str
    """The candidate's."""
    buffers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SnippetRequest:
    """``POST /api/snippet``: the body of a documented method, or what a comment describes."""

    workspace: str
    path: str
    line: int
    """Of the method or of a comment in its body, from 1."""
    buffers: dict[str, str] = field(default_factory=dict)
    adapter: str | None = None
    run: bool = True
    """Compile the file with the code in it, where the workspace is trusted."""
    trusted: bool = False
    """The user trusts this folder, so it may be built."""


JobKind = Literal["train", "measure", "evaluate"]


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """``POST /api/train``: train an adapter in the background."""

    kind: ClassVar[JobKind] = "train"
    workspace: str
    method: str | None = None
    base: str | None = None
    budget: str | None = None
    """Time such as ``10m``."""
    limit: int | None = None
    """Most pairs used."""
    preset: str | None = None
    """A paper's settings, such as ``weyssow2024``."""
    config: str | None = None
    """Absolute path of a TOML file of training settings."""
    warm: bool = False
    """Train on from the adapter that serves."""
    trusted: bool = False
    """The user lets the project be built and its tests run: the gate does so."""


@dataclass(frozen=True, slots=True)
class MeasureRequest:
    """``POST /api/train``: measure the serving adapter on new pairs, for ``status``."""

    kind: ClassVar[JobKind] = "measure"
    workspace: str
    measure: Literal[True] = True


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What an evaluation compares; what is left out is as ``personalizer evaluate`` has it."""

    methods: str | None = None
    """Names with commas between them."""
    folds: int | None = None
    generated: int | None = None
    """Most tests written for each method and fold."""
    beams: int | None = None
    """Tests of a beam search among which a match counts."""
    report: str | None = None
    """Absolute path of an HTML file to write."""


@dataclass(frozen=True, slots=True)
class EvaluateRequest:
    """``POST /api/train``: compare methods by cross-validation; nothing of it serves."""

    kind: ClassVar[JobKind] = "evaluate"
    workspace: str
    evaluate: Evaluation
    base: str | None = None
    budget: str | None = None
    """Longest time of one training."""
    limit: int | None = None
    config: str | None = None
    trusted: bool = False


JobRequest = TrainRequest | MeasureRequest | EvaluateRequest
"""What may be queued. In JSON the keys ``evaluate`` and ``measure`` say which it is."""


@dataclass(frozen=True, slots=True)
class Job:
    """One background training, the measuring of an adapter, or a comparison of methods."""

    id: str
    workspace: str
    state: JobState
    created_at: str
    """ISO 8601, UTC."""
    ended_at: str | None = None
    progress: Progress | None = None
    reason: str | None = None
    """Why it failed, in one sentence."""
    result: dict[str, Any] | None = None
    """The JSON object of the command."""
    kind: JobKind = "train"
    began_because: str | None = None
    """Why the daemon began it by itself, in one sentence; None where somebody asked for it."""

    @property
    def unfinished(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("queued", "running")


@dataclass(frozen=True, slots=True)
class Retraining:
    """The adapter should be trained anew."""

    mode: Literal["ask", "on"]
    """Whether the user is asked, or it begins by itself (setting ``retrain``)."""
    why: str
    """What has changed, in one sentence."""
    waits_for: str | None
    """What it waits for: ``your word``, ``mains power``, …; None where it begins at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status(AdapterStatus):
    """The JSON object of ``personalizer status``, of ``GET /api/status`` and of editors."""

    job: Job | None = None
    """The newest training."""
    evaluation: Job | None = None
    """The newest evaluation; of its result what a status shows."""
    retraining: Retraining | None = None
    daemon: dict[str, Any] = field(default_factory=dict)
    """The JSON object of ``personalizer daemon status``."""

    def tells_of(self, job: Job) -> bool:
        """Whether a job is news: it has not ended before the adapter that serves was trained."""
        if job.ended_at is None or self.trained_at is None:
            return True
        ended, trained = map(datetime.fromisoformat, (job.ended_at, self.trained_at))
        return ended.astimezone(UTC) >= trained.astimezone(UTC)

    @classmethod
    def of(cls, adapter: AdapterStatus, **known: Any) -> Status:
        """What is known of the adapter, and of what is done for it."""
        return cls(**{one.name: getattr(adapter, one.name) for one in fields(adapter)}, **known)


@dataclass(frozen=True, slots=True)
class ViewAct:
    """``POST /api/act``: what a button of the status view, or an editor's command, does."""

    act: Literal["use", "rollback", "train", "cancel"]
    adapter: str | None = None
    """For ``use``: an adapter's id, or ``base``."""
