"""An exported adapter in other hands: plain PEFT, plain transformers, never our code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from personalizer.adapters import Adapter, Base, Registry, Trained, export, import_folder
from personalizer.errors import AdapterError, BadInput
from personalizer.models import fingerprint, load_base
from personalizer.training import strategies
from personalizer.training.merge import export_merged
from tests.test_adapters import manifest

pytestmark = pytest.mark.slow
IDS = [[40, 71, 35, 90, 50, 61, 77, 44, 39, 101]]
IN_PEFT = ("lora", "ia3", "prompt", "prefix")
MERGED = ("lora", "ia3", "custom", "l-eo", "l-ldb")
PLAIN = """
import json, pathlib, sys
import peft, torch, transformers
base, work, ids = sys.argv[1], pathlib.Path(sys.argv[2]), torch.tensor(json.loads(sys.argv[3]))
found = {}
for folder in sorted(work.iterdir()):
    if folder.name.startswith("merged"):
        model = transformers.AutoModelForCausalLM.from_pretrained(folder)
    else:
        model = transformers.AutoModelForCausalLM.from_pretrained(base)
        model = peft.PeftModel.from_pretrained(model, str(folder))
    with torch.no_grad():
        logits = model.eval()(input_ids=ids).logits
    found[folder.name] = logits[:, -ids.shape[1]:].tolist()
assert not [name for name in sys.modules if name.split(".")[0] in ("personalizer", "indexer")]
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def made(tiny_base, tmp_path_factory):
    """An adapter of each method and its logits, by method."""
    registry = Registry(tmp_path_factory.mktemp("registry") / "adapters")
    return {method: trained(tiny_base, method, registry) for method in {*IN_PEFT, *MERGED}}


@pytest.fixture(scope="module")
def plain(made, tiny_base, tmp_path_factory):
    """What one process without our code computes with all that is exported, by folder."""
    work = tmp_path_factory.mktemp("exported")
    for method in IN_PEFT:
        export(made[method][0], work / method)
    for method in MERGED:
        export_merged(made[method][0], work / f"merged {method}")
    done = subprocess.run(
        [sys.executable, "-I", "-W", "ignore", "-c", PLAIN, tiny_base, work, json.dumps(IDS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=work,
    )
    assert done.returncode == 0, done.stderr
    return {name: np.array(logits) for name, logits in json.loads(done.stdout).items()}


def trained(tiny_base, method: str, registry: Registry) -> tuple[Adapter, np.ndarray]:
    """An adapter of a method whose weights were moved at random, and its logits."""
    base = load_base(str(tiny_base))
    options = strategies.Options(rank=4, virtual_tokens=5, frequent_words=("assert", "new"))
    model = strategies.strategy_named(method).apply(base, options)
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(1)
        for weight in (p for p in model.parameters() if p.requires_grad):
            weight.add_(0.3 * torch.randn_like(weight))
        logits = model.eval()(input_ids=torch.tensor(IDS)).logits
    staging = registry.staging()
    strategies.save(model, staging)
    made = manifest(
        f"{method}-1",
        method=method,
        base=str(tiny_base),
        base_fingerprint=fingerprint(tiny_base),
    )
    adapter = registry.add(staging, made, Trained({}, []))
    return adapter, logits[:, -len(IDS[0]) :].numpy()


def peft_has(adapter: Adapter) -> bool:
    return (adapter.folder / "adapter_config.json").is_file()


@pytest.mark.parametrize("method", IN_PEFT)
def test_plain_peft_gives_the_same_logits(made, plain, tiny_base, method):
    adapter, ours = made[method]
    assert peft_has(adapter)
    np.testing.assert_allclose(plain[method], ours, atol=1e-5)
    without = load_base(str(tiny_base)).model(input_ids=torch.tensor(IDS)).logits
    assert np.abs(without.detach().numpy() - ours).max() > 0.1


@pytest.mark.parametrize("method", MERGED)
def test_a_merged_model_gives_the_same_logits_without_peft(made, plain, method):
    np.testing.assert_allclose(plain[f"merged {method}"], made[method][1], atol=1e-4)


@pytest.mark.parametrize("method", ["custom", "l-eo", "l-ldb"])
def test_what_peft_does_not_have_is_exported_as_safetensors_alone(
    made, tiny_base, tmp_path, method
):
    adapter, ours = made[method]
    assert not peft_has(adapter)
    export(adapter, tmp_path / "out")
    names = {p.name for p in (tmp_path / "out").iterdir()}
    assert names == {"model.safetensors", "manifest.json", "pairs.json"}
    base = load_base(str(tiny_base))
    back = strategies.attach(base, tmp_path / "out")
    again = back(input_ids=torch.tensor(IDS)).logits.detach().numpy()
    np.testing.assert_allclose(again, ours, atol=1e-5)


@pytest.mark.parametrize("method", ["prompt", "prefix"])
def test_virtual_tokens_cannot_be_merged(made, tmp_path, method):
    with pytest.raises(BadInput, match="without --merged"):
        export_merged(made[method][0], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_adapter_is_not_merged_into_another_base(tiny_base, tmp_path):
    from tests.tiny_model import make_tiny_base

    base = make_tiny_base(tmp_path / "base")
    adapter, _ = trained(base, "lora", Registry(tmp_path / "adapters"))
    make_tiny_base(base, seed=9)
    with pytest.raises(AdapterError, match="another base"):
        export_merged(adapter, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("method", [*IN_PEFT, "custom"])
def test_what_was_exported_of_each_method_is_taken_in(made, tmp_path, method):
    check_taken_in(made[method][0], tmp_path)


@pytest.mark.parametrize("targets", ["all-linear", "qkv"])
@pytest.mark.parametrize("variant", ["rslora", "dora", "pissa", "lora+"])
def test_what_was_exported_of_each_variant_is_taken_in(tiny_base, tmp_path, variant, targets):
    options = strategies.Options(rank=4, variant=variant, targets=targets)
    model = strategies.strategy_named("lora").apply(load_base(str(tiny_base)), options)
    registry = Registry(tmp_path / "made")
    staging = registry.staging()
    strategies.save(model, staging)
    check_taken_in(registry.add(staging, manifest("one"), Trained({}, [])), tmp_path)


def check_taken_in(adapter: Adapter, folder: Path) -> None:
    export(adapter, folder / "out")
    base = Base(adapter.base, adapter.manifest.base_fingerprint)
    import_folder(Registry(folder / "there"), folder / "out", base)
