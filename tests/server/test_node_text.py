"""The text that a node shows while it runs: to the editor that asked for the run, and to nobody else."""

import asyncio

import aiohttp
import pytest
from patience import patience
from serverside import method_prompt, succeeded

TEXT = b"\x00\x00\x00\x03"  # how the host begins a message of a node's text


async def texts_after(server, prompt: dict, asker: str | None) -> tuple[list[str], list[str]]:
    """Run a prompt as `asker`; the texts that its editor received, and those of another one that looks on."""
    async with aiohttp.ClientSession(server.url) as session:
        async with session.ws_connect("/ws?clientId=asker") as own, session.ws_connect("/ws?clientId=other") as other:
            body = {"prompt": prompt} | ({"client_id": asker} if asker else {})
            async with session.post("/prompt", json=body) as answer:
                prompt_id = (await answer.json())["prompt_id"]
            texts = await received(own), await received(other)
            async with session.get(f"/history/{prompt_id}") as answer:
                assert succeeded((await answer.json())[prompt_id])
            return texts


async def received(socket: aiohttp.ClientWebSocketResponse) -> list[str]:
    """Texts until the server says to all editors that its queue, which held the run, is empty again."""
    found, waiting = [], 0
    while True:
        message = await socket.receive(timeout=patience(600))
        if message.type == aiohttp.WSMsgType.BINARY and message.data.startswith(TEXT):
            found.append(message.data[4:].decode())
        if message.type == aiohttp.WSMsgType.TEXT and message.json()["type"] == "status":
            before, waiting = waiting, message.json()["data"]["status"]["exec_info"]["queue_remaining"]
            if before and not waiting:
                return found


@pytest.mark.parametrize("asker", ["asker", None])
def test_only_the_editor_that_asked_is_shown_the_text(server, asker):
    own, other = asyncio.run(texts_after(server, method_prompt(), asker))
    assert other == []
    if asker is None:
        assert own == []
        return
    assert [text for text in own if " at a time" in text and "reconstruction" not in text]
    assert [text for text in own if "reconstruction" in text or "plain sampling" in text]
