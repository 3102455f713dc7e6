"""Ways to adapt a base model: what trains, with which learning rate, and how it is kept.

One entry a strategy. Papers: Z22 (Zlotchevski et al., ESEC/FSE 2022) and W24 (Weyssow et al.,
arXiv 2308.10462); the larger learning rates for small bases are ours.
"""

from __future__ import annotations

from personalizer.errors import SettingsError
from personalizer.training.strategies import deltas, matrices
from personalizer.training.strategies import prefix as virtual
from personalizer.training.strategies.choice import AUTO, Choice, Situation, choose
from personalizer.training.strategies.files import attach, check_width, is_peft, save
from personalizer.training.strategies.matrices import parameter_groups
from personalizer.training.strategies.records import Options, Strategy
from personalizer.training.strategies.words import frequent_words

__all__ = [
    "AUTO",
    "STRATEGIES",
    "Choice",
    "Options",
    "Situation",
    "Strategy",
    "attach",
    "check_width",
    "choose",
    "frequent_words",
    "is_peft",
    "parameter_groups",
    "save",
    "strategy_named",
]

_ALL = (
    Strategy(
        name="lora",
        trains="low-rank matrices beside linear layers",
        source="W24: r 16, alpha 32, on q, k and v, 3e-4. Ours: beside every linear layer",
        apply=matrices.lora,
        rate=3e-4,
        small_rate=2e-3,
    ),
    Strategy(
        name="qlora-8bit",
        trains="as lora, on a base kept in 8 bits",
        source="W24: LLM.int8, else as lora",
        apply=matrices.lora,
        rate=3e-4,
        small_rate=2e-3,
        quantization="8bit",
    ),
    Strategy(
        name="qlora-4bit",
        trains="as lora, on a base kept in 4 bits",
        source="W24: NF4, double quantisation, else as lora",
        apply=matrices.lora,
        rate=3e-4,
        small_rate=2e-3,
        quantization="4bit",
    ),
    Strategy(
        name="ia3",
        trains="vectors that scale queries, keys, values and feed-forward inputs",
        source="W24: 3e-4. Ours: 1e-2 on small bases",
        apply=matrices.ia3,
        rate=3e-4,
        small_rate=1e-2,
    ),
    Strategy(
        name="prefix",
        trains="keys and values of virtual tokens in every block",
        source="Z22 3.5: 200 tokens, begun with the repository's most frequent words; "
        "W24: 20 tokens, 3e-2. Ours: 200 and 1e-3, since a prefix of real words needs no long way",
        apply=virtual.prefix,
        rate=1e-3,
        small_rate=5e-3,
        virtual_tokens=virtual.prefix_positions,
    ),
    Strategy(
        name="prompt",
        trains="embeddings of virtual tokens before the input",
        source="W24: 20 tokens, 3e-3. Ours: 1e-2 on small bases",
        apply=virtual.prompt,
        rate=3e-3,
        small_rate=1e-2,
        virtual_tokens=virtual.prompt_positions,
    ),
    Strategy(
        name="custom",
        trains="all parameters",
        source="Z22 3.2; W24 full fine-tuning: 5e-5",
        apply=deltas.custom,
        whole=True,
        rate=5e-5,
        small_rate=5e-4,
    ),
    Strategy(
        name="l-eo",
        trains="token embeddings and output layer",
        source="Z22 3.3, which states no rate",
        apply=deltas.embeddings_and_output,
        whole=True,
        rate=1e-4,
        small_rate=1e-3,
    ),
    Strategy(
        name="l-ldb",
        trains="the last decoder block",
        source="Z22 3.4, which states no rate",
        apply=deltas.last_block,
        whole=True,
        rate=1e-4,
        small_rate=1e-3,
    ),
)
STRATEGIES: dict[str, Strategy] = {one.name: one for one in _ALL}


def strategy_named(name: str) -> Strategy:
    """The strategy of a name; ``auto`` is none, ask :func:`choose` which it stands for.

    Raises:
        SettingsError: If there is none; lists those that are.
    """
    if name not in STRATEGIES:
        raise SettingsError(
            f"expected one of {', '.join([*STRATEGIES, AUTO])} as method, got {name}"
        )
    return STRATEGIES[name]
