"""LoRA and its relatives, QLoRA, and IA3: small matrices and vectors beside frozen layers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from personalizer.errors import SettingsError
from personalizer.models import LoadedBase
from personalizer.training.strategies.layouts import layout_of
from personalizer.training.strategies.records import Options

__all__ = ["fitting", "ia3", "lora", "parameter_groups", "task_type", "wrap"]

_DROPOUT = 0.05
_LORA_PLUS = 16.0
"""How much faster LoRA+ steps its B matrices (Hayou et al. 2024: 16)."""


def lora(base: LoadedBase, options: Options) -> Any:
    """Low-rank matrices; on a quantised base this is QLoRA.

    PiSSA begins with the base's own main directions and takes them out of the frozen weights, so
    its first state is remembered: ``save`` writes the difference, a plain LoRA of twice the rank
    that fits the base as it is on disk.
    """
    from peft import LoraConfig, get_peft_model_state_dict

    pissa = options.variant == "pissa"
    wanted = layout_of(base.model).attention if options.targets == "qkv" else ()
    model = wrap(
        base,
        LoraConfig(
            task_type=task_type(base),
            r=options.rank,
            lora_alpha=2 * options.rank,
            lora_dropout=0.0 if _has_experts(base) else _DROPOUT,
            target_modules=list(wanted) or "all-linear",
            use_rslora=options.variant == "rslora",
            use_dora=options.variant == "dora",
            init_lora_weights="pissa" if pissa else True,
            fan_in_fan_out=_transposed(base),
        ),
    )
    if pissa:
        model.peft_config["default"].init_lora_weights = True  # what is saved fits any base
        state = get_peft_model_state_dict(model)
        model.first_state = {name: weight.detach().clone() for name, weight in state.items()}
    return model


def ia3(base: LoadedBase, options: Options) -> Any:
    """Vectors that scale queries, keys, values and what goes into each feed-forward layer.

    PEFT's own defaults scale fewer layers; these are those of W24's published counts.
    """
    from peft import IA3Config

    layout = layout_of(base.model)
    return wrap(
        base,
        IA3Config(
            task_type=task_type(base),
            target_modules=[*layout.attention, *layout.feed_forward],
            feedforward_modules=list(layout.feed_forward),
            fan_in_fan_out=_transposed(base),
        ),
    )


def parameter_groups(model: Any, options: Options, rate: float) -> list[dict[str, Any]]:
    """What an optimiser is given: the trainable parameters and their learning rates.

    Args:
        model: As ``Strategy.apply`` gave it.
        options: LoRA+ steps its B matrices faster than everything else.
        rate: Learning rate.
    """
    trainable = [(name, one) for name, one in model.named_parameters() if one.requires_grad]
    if options.variant != "lora+":
        return [{"params": [one for _, one in trainable], "lr": rate}]
    return [
        {"params": [one for name, one in trainable if "lora_B" not in name], "lr": rate},
        {
            "params": [one for name, one in trainable if "lora_B" in name],
            "lr": _LORA_PLUS * rate,
        },
    ]


def wrap(base: LoadedBase, config: Any) -> Any:
    """PEFT's model of a base, whose files will name the base as the user does, without its path."""
    from peft import get_peft_model

    with fitting(base, config):
        model = get_peft_model(base.model, config)
    model.peft_config["default"].base_model_name_or_path = base.name
    return model


@contextmanager
def fitting(base: LoadedBase, config: Any) -> Iterator[None]:
    """Says which kind of adapter does not fit which base, where PEFT says so.

    Raises:
        SettingsError: Instead of PEFT's own errors, of layers that it cannot adapt.
    """
    try:
        yield
    except (ValueError, AttributeError) as error:
        raise SettingsError(
            f"{base.name}, a base of the family {base.model.config.model_type}, takes no "
            f"{config.peft_type.value} of PEFT ({error}): use another method, such as custom"
        ) from error


def _has_experts(base: LoadedBase) -> bool:
    """Whether matrices of several experts lie in one parameter, beside which PEFT drops nothing."""
    return any(weight.dim() == 3 for weight in base.model.parameters())


def task_type(base: LoadedBase) -> str:
    """PEFT's name of what a base does."""
    return "SEQ_2_SEQ_LM" if base.encoder_decoder else "CAUSAL_LM"


def _transposed(base: LoadedBase) -> bool:
    """GPT-2 keeps its weights the other way round."""
    return bool(base.model.config.model_type == "gpt2")
