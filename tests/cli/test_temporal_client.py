"""A Temporal server that wants TLS, as production ones do."""

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from cli.settings import Settings
from cli.temporal_client import connect, missing_search_attributes
from tests.temporal_server import TemporalServer

NAME = "temporal.example"


@pytest.fixture
async def behind_tls(temporal_server: TemporalServer, certificate: tuple[Path, Path]) -> AsyncIterator[str]:
    """The address of a door that speaks TLS and leads to the server."""
    cert, key = certificate
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=cert)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(["h2"])
    context.verify_mode = ssl.CERT_REQUIRED
    host, _, port = temporal_server.address.rpartition(":")

    async def lead(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    async with await asyncio.start_server(lead, "127.0.0.1", ssl=context) as door:
        yield f"127.0.0.1:{door.sockets[0].getsockname()[1]}"


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    """One of ``NAME``, signed by itself, which serves for the client, too."""
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-days", "2", "-subj", f"/CN={NAME}", "-addext", f"subjectAltName=DNS:{NAME}"]
    command += ["-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    return cert, key


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


def settings_for(address: str, certificate: tuple[Path, Path], **changes: Any) -> Settings:
    cert, key = certificate
    values: dict[str, Any] = {
        "temporal_address": address,
        "temporal_tls_server_ca": cert,
        "temporal_tls_server_name": NAME,
        "temporal_tls_client_cert": cert,
        "temporal_tls_client_key": key,
    }
    return Settings(**(values | changes))


async def test_a_server_that_asks_for_tls_and_a_certificate_is_reached(
    behind_tls: str, certificate: tuple[Path, Path]
) -> None:
    client = await connect(settings_for(behind_tls, certificate))
    assert await missing_search_attributes(client) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"temporal_tls": False},
        {"temporal_tls_server_ca": None},
        {"temporal_tls_server_name": "another.example"},
        {"temporal_tls_client_cert": None, "temporal_tls_client_key": None},
    ],
)
async def test_it_is_not_reached_in_any_weaker_way(
    behind_tls: str, certificate: tuple[Path, Path], changes: dict[str, Any]
) -> None:
    with pytest.raises(RuntimeError):
        await connect(settings_for(behind_tls, certificate, **changes))


async def test_a_key_alone_asks_for_tls(temporal_server: TemporalServer) -> None:
    with pytest.raises(RuntimeError):  # this server speaks plainly
        await connect(Settings(temporal_address=temporal_server.address, temporal_api_key="key"))
    await connect(Settings(temporal_address=temporal_server.address, temporal_api_key="key", temporal_tls=False))
