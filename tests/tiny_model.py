"""A base model of 28 thousand random parameters, and adapters for it: real files, made in a moment.

Importing this loads no torch; the functions do.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from personalizer.prompts import END, PAD, SPECIAL_TOKENS

__all__ = ["make_full_adapter", "make_tiny_adapter", "make_tiny_base"]

CONTEXT = 2048
"""Most tokens of prompt and target together."""

os.environ.setdefault("OMP_NUM_THREADS", "1")


def make_tiny_base(folder: Path, *, seed: int = 0, context: int = CONTEXT) -> Path:
    """A Llama of width 32 and two layers with a byte-level tokenizer that knows the grammar."""
    import torch
    from transformers import LlamaForCausalLM

    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        LlamaForCausalLM(_config(len(tokenizer), context)).save_pretrained(folder)
    return folder


def make_tiny_adapter(base: Path, folder: Path, *, seed: int = 1, strength: float = 1.0) -> Path:
    """A LoRA adapter in PEFT's files whose matrices are random, so that it changes every answer."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = LoraConfig(r=4, target_modules="all-linear", task_type="CAUSAL_LM")
        with warnings.catch_warnings():
            # peft 0.21 reads an attribute that transformers 5.23 has renamed
            warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
            model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), config)
        for name, weight in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weight, std=strength)
        model.save_pretrained(folder)
    return folder


def make_full_adapter(base: Path, folder: Path, *, seed: int = 2) -> Path:
    """An adapter of the method ``custom``: all weights of another model of the same shape."""
    import torch
    from safetensors.torch import save_model
    from transformers import AutoConfig, LlamaForCausalLM

    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = LlamaForCausalLM(AutoConfig.from_pretrained(base))
        save_model(model, str(folder / "model.safetensors"))
    return folder


def _tokenizer() -> Any:
    """Every byte is a token, after the 32 special ones: nothing to train."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = {token: number for number, token in enumerate([*SPECIAL_TOKENS, *alphabet])}
    tokenizer = Tokenizer(models.BPE(words, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        eos_token=END,
        clean_up_tokenization_spaces=False,
    )


def _config(vocabulary: int, context: int) -> Any:
    from transformers import LlamaConfig

    return LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=context,
        tie_word_embeddings=True,
        initializer_range=0.3,
        pad_token_id=SPECIAL_TOKENS.index(PAD),
        bos_token_id=None,
        eos_token_id=SPECIAL_TOKENS.index(END),
    )
