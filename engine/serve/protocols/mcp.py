"""Tools for agents (Model Context Protocol): who is speaking, who spoke; names only with consent."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from mcp.server.mcpserver import Context, MCPServer
from pydantic import BaseModel, Field

from voicelane.client.connection import AsyncClient

INSTRUCTIONS = (
    "Who is speaking in live streams and recorded sessions of a voicelane server. Renaming a speaker asks "
    "the person first."
)


class Consent(BaseModel):
    """What a person is asked before a name is given."""

    agreed: bool = Field(description="Give the speaker this name?")


def tools(voicelane: AsyncClient) -> MCPServer:
    """The server of tools, to be run over stdio."""
    server = MCPServer("voicelane", instructions=INSTRUCTIONS)

    @server.tool()
    async def list_streams() -> dict[str, Any]:
        """Live streams: who spoke in each, and who speaks now."""
        return await voicelane.get("/v1/streams")

    @server.tool()
    async def who_is_speaking() -> dict[str, Any]:
        """Who speaks now, in the newest live stream."""
        streams = (await voicelane.get("/v1/streams"))["streams"]
        return {"speaking": [s["name"] for s in streams[-1]["speaking"]] if streams else []}

    @server.tool()
    async def list_sessions() -> dict[str, Any]:
        """Recorded sessions: when, how long, who."""
        return await voicelane.get("/v1/sessions")

    @server.tool()
    async def show_session(name: str) -> dict[str, Any]:
        """Who spoke when in a recorded session."""
        return await voicelane.get(f"/v1/sessions/{quote(name, safe='')}")

    @server.tool()
    async def list_people() -> dict[str, Any]:
        """Names of enrolled people."""
        return await voicelane.get("/v1/profiles")

    @server.tool()
    async def rename_speaker(session: str, speaker: str, name: str, context: Context) -> str:
        """Give a speaker of a recorded session a name; the person who uses the agent is asked first."""
        question = f"Shall {speaker} of {session} be called {name} from now on?"
        said = await context.elicit(question, Consent)
        if said.action != "accept" or not said.data.agreed:
            return "the person did not agree; nothing was changed"
        content = {"speaker": speaker, "name": name}
        await voicelane.patch(f"/v1/sessions/{quote(session, safe='')}", content)
        return f"{speaker} is called {name} now"

    return server
