"""The API as other programs use it: OpenAI's own client, and curl as docs/api.md shows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from personalizer.daemon.client import Client
from tests.fake_parts import asked
from tests.test_daemon import an_adapter

API = (Path(__file__).parent.parent / "docs" / "api.md").read_text()


@pytest.fixture
def client(daemon: Client) -> Iterator[openai.OpenAI]:
    """OpenAI's client as docs/api.md makes it."""
    transport = httpx.HTTPTransport(uds=daemon.socket, verify=False)
    with openai.OpenAI(
        base_url="http://daemon/v1",
        api_key="none",
        http_client=httpx.Client(transport=transport),
        max_retries=0,
    ) as made:
        yield made


def test_openais_client_streams_from_an_adapter(client: openai.OpenAI, shop: Path):
    adapter = an_adapter(shop, "lora-x")
    assert "lora-x" in {model.id for model in client.models.list()}
    chunks = list(client.completions.create(model="lora-x", prompt="one", stream=True))
    assert "".join(c.choices[0].text for c in chunks).startswith("@Test void generated()")
    assert {c.model for c in chunks} == {"lora-x"}
    assert asked()[-1]["adapter"] == str(adapter)


def test_openais_client_retrieves_a_model(client: openai.OpenAI, shop: Path):
    an_adapter(shop, "lora-x")
    assert client.models.retrieve("lora-x").id == "lora-x"
    with pytest.raises(openai.NotFoundError, match="nobody") as caught:
        client.models.retrieve("some/nobody")
    assert caught.value.code == "model_not_found"


def test_openais_client_reads_our_errors(client: openai.OpenAI):
    with pytest.raises(openai.NotFoundError, match="nobody") as caught:
        client.completions.create(model="nobody", prompt="one")
    assert caught.value.code == "AdapterError"
    with pytest.raises(openai.BadRequestError, match="temperature"):
        client.completions.create(model="base", prompt="one", temperature=2.5)


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
@pytest.mark.parametrize("example", re.findall(r"```sh\n(.*?)```", API, re.DOTALL))
def test_the_examples_of_the_documentation_run(daemon: Client, shop: Path, example: str):
    folder = Path(sys.executable).parent
    script = example.replace("/home/me/shop", str(shop))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f'socket="{daemon.socket}"\n{script}'],
        env=os.environ | {"PATH": f"{folder}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("{", "data: {")), done.stdout
    assert '"error"' not in done.stdout
