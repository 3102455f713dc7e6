"""How the learning rate goes over a budget, and how often a run is evaluated."""

from __future__ import annotations

import pytest
import torch
from transformers import get_scheduler

from personalizer.models import load_base
from personalizer.training import presets, strategies
from personalizer.training.checkpoints import last_whole, state_of
from personalizer.training.forecast import Forecast
from personalizer.training.schedule import Schedule, schedule_of
from personalizer.training.trainer import rehearsed
from tests.training_runs import Losses, encoded, hyper, run


def foretell(monkeypatch, steps: int) -> None:
    """Lets a forecast say how many steps a budget allows, however fast this machine is."""
    monkeypatch.setattr(Forecast, "steps_within", lambda self, seconds: min(steps, self.steps))


def rates(folder) -> list[float]:
    """Share of the learning rate of each step of a run."""
    rows = state_of(last_whole(folder)).log_history
    most = hyper().learning_rate
    return [row["learning_rate"] / most for row in rows if "learning_rate" in row]


@pytest.mark.parametrize(("steps", "warmup"), [(20, 4), (20, 1), (7, 6), (1, 1)])
def test_the_rate_is_transformers_own_up_to_its_end_and_stays_then(steps, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    theirs = get_scheduler(
        "cosine_warmup_with_min_lr",
        optimizer,
        num_warmup_steps=warmup,
        num_training_steps=steps,
        scheduler_specific_kwargs={"min_lr_rate": 0.1},
    )
    found = Schedule(steps, warmup)
    for step in range(steps):
        assert found.share(step) == pytest.approx(theirs.get_last_lr()[0])
        optimizer.step()
        theirs.step()
    ends = 0.1 if warmup < steps else 1.0
    assert found.share(steps - 1) == pytest.approx(ends)
    assert found.share(steps) == found.share(10 * steps) == pytest.approx(0.1)


def foretold(**figures: float) -> Forecast:
    values = dict.fromkeys(Forecast.__dataclass_fields__, 0.0) | {
        "steps": 1000,
        "seconds_a_step": 1.0,
        "evaluation_seconds": 5.0,
        "steps_between_evaluations": 20,
    }
    return Forecast(**(values | figures))  # type: ignore[arg-type]


def test_steps_within_a_budget_leave_room_for_evaluations():
    assert foretold().steps_within(125.0) == 100
    assert foretold().steps_within(1e9) == 1000
    assert foretold().steps_within(0.0) == 1


def test_the_rate_falls_over_the_steps_that_the_budget_allows(tiny_base, tmp_path, monkeypatch):
    foretell(monkeypatch, 6)
    run(tiny_base, tmp_path, budget_seconds=3600.0)
    found = rates(tmp_path)
    assert found[0] == 1 and found[5] == pytest.approx(0.1)
    assert found[:6] == sorted(found[:6], reverse=True)
    assert found[6:] == pytest.approx([0.1] * 6)  # it was faster than foretold


def test_a_run_without_a_budget_falls_over_all_its_steps(tiny_base, tmp_path):
    run(tiny_base, tmp_path)
    found = rates(tmp_path)
    assert found[0] == 1 and found[-2] > found[-1] == pytest.approx(0.1)


def test_a_run_that_goes_on_has_the_schedule_that_it_began_with(tiny_base, tmp_path, monkeypatch):
    def killed(progress):
        broken(progress)
        if progress.step >= 5:
            raise KeyError

    budget = {"budget_seconds": 3600.0, "checkpoint_seconds": 0.0}
    whole, broken = Losses(), Losses()
    foretell(monkeypatch, 8)
    run(tiny_base, tmp_path / "whole", whole, **budget)
    with pytest.raises(KeyError):
        run(tiny_base, tmp_path / "broken", killed, **budget)
    foretell(monkeypatch, 3)  # the machine is busy now
    run(tiny_base, tmp_path / "broken", broken, **budget)
    assert broken.by_step == whole.by_step


def test_a_budget_of_another_size_is_planned_anew(tmp_path):
    def steps(seconds: float) -> int:
        return schedule_of(tmp_path, hyper(budget_seconds=seconds), foretold()).steps

    assert steps(125.0) == 100
    assert steps(200.0) == 100  # what reading and judging leave of the same budget
    assert steps(1250.0) == 1000


def test_a_papers_schedule_runs_over_its_epochs_whatever_the_budget(tmp_path):
    for preset in presets.PRESETS.values():
        assert preset.settings("lora")["schedule"] == "epochs"
        assert preset.settings("lora")["evaluate_every"] == 0.2
    asked = hyper(budget_seconds=125.0, schedule="epochs")
    assert schedule_of(tmp_path, asked, foretold()) == Schedule(1000, 50)
    assert not list(tmp_path.iterdir())


def test_a_single_step_trains(tiny_base, tmp_path):
    done = run(tiny_base, tmp_path, max_steps=1)
    moved = [one for name, one in done.model.named_parameters() if "lora_B" in name]
    assert any(weight.abs().max() > 0 for weight in moved)


def test_the_last_step_is_evaluated(tiny_base, tmp_path):
    done = run(tiny_base, tmp_path, max_steps=6)  # one evaluation is made at the fourth
    assert [row["step"] for row in done.history] == [4, 6]


@pytest.mark.parametrize("method", ["lora", "custom"])
def test_evaluations_take_a_tenth_of_the_time_where_nobody_says_when(tiny_base, method):
    def forecast_of(**changes) -> Forecast:
        how = hyper(batch_size=1, **changes)
        return rehearsed(load_base(str(tiny_base)), data, strategies.strategy_named(method), how)[1]

    data = encoded(load_base(str(tiny_base)))
    forecast = forecast_of(evaluate_every=None)
    every = forecast.steps_between_evaluations

    def tokens(examples) -> int:
        return sum(len(e.prompt) + len(e.target) for e in examples)

    trained = every * tokens(data.train) / len(data.train) * forecast.flops_a_token
    evaluated = tokens(data.validation) * forecast.flops_a_token_forward
    assert 0.05 < evaluated / (trained + evaluated) <= 0.1
    assert forecast_of(evaluate_every=0.25).steps_between_evaluations == 4


def test_an_evaluation_reads_a_spread_of_a_large_validation_side():
    many = range(1000)
    assert hyper(evaluate_every=0.2).evaluated_on(many) == many
    free = hyper(evaluate_every=None)
    assert free.evaluated_on(range(64)) == range(64)
    chosen = free.evaluated_on(many)
    assert len(set(chosen)) == 64
    assert (chosen[0], chosen[-1]) == (0, 984)
