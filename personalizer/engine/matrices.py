"""LoRA matrices of several adapters on one base model, chosen row by row.

PEFT's own mixed batches (``adapter_names``) run each adapter of each layer by itself: with eight of
them a step takes several times as long. Here the matrices of all adapters of a batch lie beside
each other as one pair of wide matrices, and each row keeps only the columns of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import torch

__all__ = ["Matrices", "RowMatrices", "matrices_of"]

Matrices: TypeAlias = Mapping[torch.nn.Module, tuple[torch.Tensor, torch.Tensor]]
"""By layer of the base: A ``(in, r)`` and B ``(r, out)``, the scaling multiplied into B; of the
base's own float type."""


def matrices_of(wrapper: Any) -> Matrices:
    """The matrices of the one LoRA adapter of PEFT's model.

    PEFT keeps them in float32 on a base of 16 bits and casts at every layer and token.
    """
    from peft.tuners.lora import LoraLayer

    name, kind = wrapper.active_adapter, wrapper.get_base_model().dtype
    return {
        module.get_base_layer(): (
            module.lora_A[name].weight.detach().T.to(kind).contiguous(),
            (module.lora_B[name].weight.detach() * module.scaling[name]).T.to(kind).contiguous(),
        )
        for module in wrapper.modules()
        if isinstance(module, LoraLayer)
    }


class RowMatrices:
    """Adds to each row what its adapter adds; rows of the base stay as they are."""

    def __init__(self) -> None:
        self._chosen: tuple[Matrices | None, ...] = ()
        self._now: Mapping[torch.nn.Module, tuple[torch.Tensor, ...]] = {}
        """A, B and, where rows differ, the columns that each row keeps ``(rows, r)``."""
        self._together = _Together([])
        self._hooked: set[torch.nn.Module] = set()

    def choose(self, rows: Sequence[Matrices | None]) -> None:
        """Says whose each row of the next passes is; None is the base's.

        A pass may have other rows than are named here if all are of one adapter.
        """
        if tuple(map(id, rows)) == tuple(map(id, self._chosen)):
            return
        self._chosen = tuple(rows)
        adapters = list({id(one): one for one in rows if one is not None}.values())
        if not adapters:
            self._now = {}
        elif len(adapters) == 1 and None not in rows:
            self._now = adapters[0]
        else:
            if not self._together.serves(adapters):
                self._together = _Together(adapters)
            self._now = self._together.for_rows(rows)
        for layer in self._now.keys() - self._hooked:
            layer.register_forward_hook(self._add)
            self._hooked.add(layer)

    def _add(self, layer: torch.nn.Module, inputs: Any, output: torch.Tensor) -> Any:
        """A hook behind a layer: its output and what the adapters add."""
        if layer not in self._now:
            return output
        first, second, *kept = self._now[layer]
        hidden = inputs[0].flatten(0, -2).to(first.dtype) @ first
        for mask in kept:  # one or none
            each = hidden.shape[0] // mask.shape[0]
            hidden *= mask if each == 1 else mask.repeat_interleave(each, 0)
        flat = output.flatten(0, -2)
        if flat.dtype != second.dtype:
            return output + (hidden @ second).view(output.shape).to(output.dtype)
        return torch.addmm(flat, hidden, second).view(output.shape)


class _Together:
    """The matrices of several adapters beside each other, layer by layer."""

    def __init__(self, adapters: list[Matrices]) -> None:
        self._places = {id(one): place for place, one in enumerate(adapters)}
        self._adapters = adapters
        self._layers = {}
        for layer in {layer: None for one in adapters for layer in one}:
            parts = [(place, *one[layer]) for place, one in enumerate(adapters) if layer in one]
            owners = tuple(place for place, first, _ in parts for _ in range(first.shape[1]))
            self._layers[layer] = (
                torch.cat([first for _, first, _ in parts], 1),
                torch.cat([second for _, _, second in parts], 0),
                owners,
            )

    def serves(self, adapters: list[Matrices]) -> bool:
        """Whether all of these are here, and not too many others that would be reckoned in vain."""
        return self._places.keys() >= {id(one) for one in adapters} and (
            2 * len(adapters) >= len(self._adapters)
        )

    def for_rows(
        self, rows: Sequence[Matrices | None]
    ) -> dict[torch.nn.Module, tuple[torch.Tensor, ...]]:
        """A, B and the columns that each row keeps, by layer."""
        wanted = torch.tensor([-1 if one is None else self._places[id(one)] for one in rows])
        masks: dict[tuple[int, ...], torch.Tensor] = {}  # most layers' columns lie alike
        now: dict[torch.nn.Module, tuple[torch.Tensor, ...]] = {}
        for layer, (first, second, owners) in self._layers.items():
            if owners not in masks:
                masks[owners] = (wanted[:, None] == torch.tensor(owners)).to(first)
            now[layer] = (first, second, masks[owners])
        return now
