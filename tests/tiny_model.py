"""Base models of some 28 thousand random parameters, and adapters: real files, made in a moment.

Importing this loads no torch; the functions do.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

from personalizer.prompts import END, PAD, SPECIAL_TOKENS

__all__ = [
    "FAMILIES",
    "make_full_adapter",
    "make_tiny_adapter",
    "make_tiny_base",
    "make_tiny_sentences",
]

CONTEXT = 2048
"""Most tokens of prompt and target together."""

FAMILIES = ("llama", "qwen2", "gpt2", "codegen", "bart", "t5")
"""By ``model_type``: four decoder-only layouts and two encoder-decoders."""

os.environ.setdefault("OMP_NUM_THREADS", "1")


def make_tiny_base(
    folder: Path,
    *,
    seed: int = 0,
    context: int = CONTEXT,
    family: str = "llama",
    width: int = 32,
) -> Path:
    """A model of two layers with a byte-level tokenizer that knows the grammar.

    Args:
        folder: Where its files are written.
        seed: Another seed, other weights.
        context: Most positions, where the family has a limit.
        family: One of ``FAMILIES``.
        width: Of a token; NF4 on a CPU needs 64.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM

    tokenizer = _tokenizer()
    tokenizer.save_pretrained(folder)
    entries = len(tokenizer) + (family == "qwen2")  # its tokenizer adds one of its own
    config = _config(family, entries, context, width)
    kind: Any = AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind.from_config(config).save_pretrained(folder)
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
    from transformers import AutoConfig, LlamaForCausalLM

    from personalizer.training.strategies import save

    with torch.random.fork_rng():
        torch.manual_seed(seed)
        save(LlamaForCausalLM(AutoConfig.from_pretrained(base)), folder)
    return folder


def make_tiny_sentences(folder: Path, *, seed: int = 0, width: int = 16) -> Path:
    """A sentence-embedding model: BERT of two layers, mean pooling, bytes as tokens."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import BertConfig, BertModel

    tokenizer = _tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=CONTEXT,
        initializer_range=0.5,
        pad_token_id=tokenizer.pad_token_id,
    )
    plain = folder / "plain"
    tokenizer.save_pretrained(plain)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        BertModel(config).save_pretrained(plain)
    modules = [Transformer(str(plain)), Pooling(width, pooling_mode="mean")]
    SentenceTransformer(modules=modules, device="cpu").save(str(folder / "sentences"))
    return folder / "sentences"


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


def _config(family: str, vocabulary: int, context: int, width: int) -> Any:
    from transformers import AutoConfig

    gated = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context,
        "initializer_range": 0.3,
    }
    gpt = {
        "n_embd": width,
        "n_layer": 2,
        "n_head": 4,
        "n_positions": context,
        "initializer_range": 0.3,
    }
    sizes: dict[str, dict[str, Any]] = {
        "llama": gated,
        "qwen2": gated,
        "gpt2": gpt,
        "codegen": gpt | {"n_ctx": context, "rotary_dim": 4},
        "bart": {
            "d_model": width,
            "encoder_layers": 2,
            "decoder_layers": 2,
            "encoder_attention_heads": 4,
            "decoder_attention_heads": 4,
            "encoder_ffn_dim": 2 * width,
            "decoder_ffn_dim": 2 * width,
            "max_position_embeddings": context,
            "init_std": 0.3,
            "dropout": 0.0,
            "decoder_start_token_id": SPECIAL_TOKENS.index(END),
            "forced_eos_token_id": None,
        },
        "t5": {
            "d_model": width,
            "d_kv": width // 4,
            "d_ff": 2 * width,
            "num_layers": 2,
            "num_heads": 4,
            "n_positions": context,
            "dropout_rate": 0.0,
            "decoder_start_token_id": SPECIAL_TOKENS.index(PAD),
        },
    }
    return AutoConfig.for_model(
        family,
        vocab_size=vocabulary,
        pad_token_id=SPECIAL_TOKENS.index(PAD),
        bos_token_id=None,
        eos_token_id=SPECIAL_TOKENS.index(END),
        tie_word_embeddings=True,
        **sizes[family],
    )
