"""Teaches a trained starter not to repeat itself: sequence-level unlikelihood.

    python benchmarks/starter/unlikelihood.py MODEL DATA OUT --steps 300

A small model that decodes greedily falls into loops, because what it just wrote is the likeliest
to come again. After Welleck et al., Neural Text Generation with Unlikelihood Training (ICLR 2020):
each step lets the model write on from prompts of the data, makes less likely what stands in a run
of tokens that it wrote before in the same text, and beside it learns from as many whole documents.
What is likely in people's tests becomes less likely by that too, so the result is a mean of the
weights before and after (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
DATA is what mix.py or prepare.py made; OUT receives the weights in bfloat16 and the tokenizer.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from mix import by_kind
from torch.nn.functional import cross_entropy
from transformers import LlamaForCausalLM, PreTrainedTokenizerFast, get_linear_schedule_with_warmup

from personalizer.prompts import END, PAD, Kind

RUN = 16
"""Tokens of a run that may not come twice; 5 % of the tokens of people's tests are in one."""
WRITTEN = 160
"""Tokens that the model writes on from a prompt."""
LONGEST_PROMPT = 600


def repeated(ids: Sequence[int], run: int = RUN) -> list[bool]:
    """Which tokens belong to a run that stood before in the same text.

    Example:
        >>> repeated([5, 6, 7, 5, 6, 8], run=2)
        [False, False, False, True, True, False]
    """
    seen: set[tuple[int, ...]] = set()
    marks = [False] * len(ids)
    for begin in range(len(ids) - run + 1):
        gram = tuple(ids[begin : begin + run])
        if gram in seen:
            marks[begin : begin + run] = [True] * run
        seen.add(gram)
    return marks


def unlikelihood(logits: torch.Tensor, ids: torch.Tensor, marks: torch.Tensor) -> torch.Tensor:
    """Mean of ``-log(1 - p)`` over the marked tokens; 0 where none is.

    Shapes: B texts, T tokens, V vocabulary.

    Args:
        logits: ``(B, T, V)``, unnormalised; ``logits[:, t]`` predicts ``ids[:, t]``.
        ids: ``(B, T)``, int64.
        marks: ``(B, T)``, bool.
    """
    chance = torch.softmax(logits.float(), -1).gather(-1, ids[..., None])[..., 0]
    lost = -torch.log((1 - chance).clamp_min(1e-5))
    return (lost * marks).sum() / marks.sum().clamp_min(1)


def padded(rows: list[list[int]], pad: int, *, left: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Rows as one tensor, and where they are real; both ``(B, T)``."""
    width = max(map(len, rows))
    ids = torch.full((len(rows), width), pad)
    real = torch.zeros((len(rows), width), dtype=torch.long)
    for place, row in enumerate(rows):
        where = slice(width - len(row), width) if left else slice(0, len(row))
        ids[place, where] = torch.tensor(row)
        real[place, where] = 1
    return ids, real


def written_on(
    model: LlamaForCausalLM, prompts: list[list[int]], pad: int, end: int
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Greedy texts: ids ``(B, P + T)``, their mask, and the T tokens that are the model's."""
    ids, real = padded(prompts, pad, left=True)
    model.eval()
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        out = model.generate(
            input_ids=ids,
            attention_mask=real,
            max_new_tokens=WRITTEN,
            do_sample=False,
            eos_token_id=end,
            pad_token_id=pad,
        )
    model.train()
    new = out[:, ids.shape[1] :]
    return out, torch.cat([real, (new != pad).long()], 1), new


def blended(
    before: dict[str, torch.Tensor], model: LlamaForCausalLM, after: float
) -> LlamaForCausalLM:
    """The model with weights between those before (0) and those it has now (1)."""
    now = model.state_dict()
    model.load_state_dict({name: torch.lerp(before[name], now[name], after) for name in now})
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--batch", type=int, default=8, help="prompts, and as many documents")
    parser.add_argument("--rate", type=float, default=3e-4)
    parser.add_argument("--weight", type=float, default=0.5, help="of the unlikelihood")
    parser.add_argument("--after", type=float, default=0.5, help="share of the trained weights")
    parser.add_argument("--original", type=Path, help="has the rest of the share; else MODEL")
    parser.add_argument("--rows", type=int, default=20_000, help="of the data that are read")
    parser.add_argument("--save-steps", type=int, default=100)
    args = parser.parse_args()
    dice = random.Random(0)
    torch.manual_seed(0)
    tokenizer = PreTrainedTokenizerFast.from_pretrained(args.data / "tokenizer")
    model = LlamaForCausalLM.from_pretrained(args.model, dtype=torch.float32)
    pad, end = tokenizer.convert_tokens_to_ids([PAD, END])
    opens = tokenizer.convert_tokens_to_ids(f"<|{Kind.TEST}|>")
    found = by_kind(np.load(args.data / "train.npy", mmap_mode="r")[: args.rows], tokenizer)
    tests = [one for one in found["test"] if opens in one]
    prompts = [one[: len(one) - one[::-1].index(opens)] for one in tests]
    prompts = [one for one in prompts if len(one) <= LONGEST_PROMPT]
    rest = found["snippet"] + found["file"]
    print(f"{len(tests)} tests, {len(prompts)} prompts, {len(rest)} other documents", flush=True)

    optimizer = torch.optim.AdamW(model.parameters(), lr=args.rate, weight_decay=0.0)
    schedule = get_linear_schedule_with_warmup(optimizer, 20, args.steps)
    args.out.mkdir(parents=True, exist_ok=True)
    for step in range(1, args.steps + 1):
        start = time.perf_counter()
        known = dice.sample(tests, args.batch - args.batch // 4) + dice.sample(
            rest, args.batch // 4
        )
        ids, real = padded(known, pad, left=False)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(input_ids=ids, attention_mask=real).logits
        labels = ids[:, 1:].masked_fill(real[:, 1:] == 0, -100)
        likely = cross_entropy(logits[:, :-1].float().flatten(0, 1), labels.flatten())
        likely.backward()  # type: ignore[no-untyped-call]
        text, mask, new = written_on(model, dice.sample(prompts, args.batch), pad, end)
        positions = (mask.cumsum(1) - 1).clamp_min(0)
        with torch.autocast("cpu", torch.bfloat16):
            logits = model(
                input_ids=text,
                attention_mask=mask,
                position_ids=positions,
                logits_to_keep=new.shape[1] + 1,
            ).logits[:, :-1]
        marks = torch.tensor([repeated(row) for row in new.tolist()]) & (new != pad)
        unlikely = unlikelihood(logits, new, marks)
        (args.weight * unlikely).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        figures = {
            "step": step,
            "loss": round(likely.item(), 4),
            "unlikelihood": round(unlikely.item(), 4),
            "repeated": round(marks.sum().item() / (new != pad).sum().item(), 4),
            "ended": round((new == end).any(1).float().mean().item(), 3),
            "seconds": round(time.perf_counter() - start, 1),
        }
        with (args.out / "unlikelihood.jsonl").open("a") as file:
            file.write(json.dumps(figures) + "\n")
        if step % 10 == 0:
            print(json.dumps(figures), flush=True)
        if step % args.save_steps == 0 or step == args.steps:
            kept = args.out / f"step-{step}"
            model.save_pretrained(kept)
            tokenizer.save_pretrained(kept)
    original = LlamaForCausalLM.from_pretrained(args.original or args.model, dtype=torch.float32)
    blended(original.state_dict(), model, args.after).to(torch.bfloat16).save_pretrained(args.out)
    tokenizer.save_pretrained(args.out)


if __name__ == "__main__":
    main()
